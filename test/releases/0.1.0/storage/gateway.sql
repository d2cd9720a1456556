--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: sallyport; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA sallyport;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: account; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.account (
    account text NOT NULL,
    identity bytea NOT NULL,
    state text NOT NULL,
    registered_on bigint NOT NULL
);


--
-- Name: deletion; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.deletion (
    id bigint NOT NULL,
    class text NOT NULL,
    count bigint NOT NULL,
    at bigint NOT NULL,
    reason text NOT NULL
);


--
-- Name: deletion_id_seq; Type: SEQUENCE; Schema: sallyport; Owner: -
--

ALTER TABLE sallyport.deletion ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sallyport.deletion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: device; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.device (
    account text NOT NULL,
    device text NOT NULL,
    binding bytea NOT NULL,
    serial bigint NOT NULL,
    state text NOT NULL,
    enrolled_on bigint NOT NULL
);


--
-- Name: factor; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.factor (
    account text NOT NULL,
    factor text NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    enrolled_on bigint NOT NULL,
    secret bytea NOT NULL,
    counter bigint NOT NULL
);


--
-- Name: invite; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.invite (
    invite text NOT NULL,
    code_hash bytea NOT NULL,
    expires_at bigint NOT NULL
);


--
-- Name: kysely_migration; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.kysely_migration (
    name character varying(255) NOT NULL,
    "timestamp" character varying(255) NOT NULL
);


--
-- Name: kysely_migration_lock; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.kysely_migration_lock (
    id character varying(255) NOT NULL,
    is_locked integer DEFAULT 0 NOT NULL
);


--
-- Name: lease; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.lease (
    jti text NOT NULL,
    account text NOT NULL,
    device text NOT NULL,
    session text NOT NULL,
    kid text NOT NULL,
    expires_at bigint NOT NULL
);


--
-- Name: lease_count; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.lease_count (
    account text NOT NULL,
    hour bigint NOT NULL,
    leases bigint NOT NULL
);


--
-- Name: lockout; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.lockout (
    account text NOT NULL,
    failures bigint NOT NULL,
    window_began_at bigint NOT NULL,
    locked_until bigint
);


--
-- Name: policy_serial; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.policy_serial (
    one bigint NOT NULL,
    uid text NOT NULL,
    serial bigint NOT NULL
);


--
-- Name: probe; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.probe (
    one bigint NOT NULL,
    beats bigint NOT NULL
);


--
-- Name: recovery_code; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.recovery_code (
    account text NOT NULL,
    hash bytea NOT NULL
);


--
-- Name: revocation; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.revocation (
    account text NOT NULL,
    device text NOT NULL,
    revocation bytea NOT NULL
);


--
-- Name: revoked_lease; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.revoked_lease (
    jti text NOT NULL,
    expires_at bigint NOT NULL
);


--
-- Name: session; Type: TABLE; Schema: sallyport; Owner: -
--

CREATE TABLE sallyport.session (
    session text NOT NULL,
    account text NOT NULL,
    device text NOT NULL,
    token_hash bytea,
    began_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    last_used_at bigint NOT NULL,
    second_factor_at bigint,
    ended_at bigint
);


--
-- Data for Name: account; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.account VALUES ('sp1account', '\x0707070707070707070707070707070707070707070707070707070707070707', 'Active', 1772323200000);


--
-- Data for Name: deletion; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.deletion OVERRIDING SYSTEM VALUE VALUES (1, 'account', 1, 1772366400000, 'Requested');


--
-- Data for Name: device; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.device VALUES ('sp1account', 'device-1', '\x010203', 9223372036854775807, 'Active', 1772323200000);


--
-- Data for Name: factor; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.factor VALUES ('sp1account', 'factor-1', 'TOTP', 'phone', 1772323200000, '\x0143f02a87357b2b0631986c33fd4042ce80edd2010157a86cb9164caac1727ffd3d520076178e5b74e9116b048a30e4c7d7c1d33dff499b49', 0);
INSERT INTO sallyport.factor VALUES ('sp1account', 'factor-2', 'WebAuthn', 'phone', 1772323200000, '\x7477656e7479206279746573206f662073656564', -9223372036854775808);


--
-- Data for Name: invite; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.invite VALUES ('i1', '\x01', 1772370000000);


--
-- Data for Name: kysely_migration; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.kysely_migration VALUES ('0001-first', '2026-11-22T19:51:08.650Z');
INSERT INTO sallyport.kysely_migration VALUES ('0002-lease-counts', '2026-11-22T19:51:08.652Z');


--
-- Data for Name: kysely_migration_lock; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.kysely_migration_lock VALUES ('migration_lock', 0);


--
-- Data for Name: lease; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.lease VALUES ('jti-1', 'sp1account', 'device-1', 'session-1', 'kid-1', 1772367000000);


--
-- Data for Name: lease_count; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.lease_count VALUES ('sp1account', 1772366400000, 1);


--
-- Data for Name: lockout; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.lockout VALUES ('sp1account', 1, 1772366400000, NULL);


--
-- Data for Name: policy_serial; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.policy_serial VALUES (1, 'uid-1', -9223372036854775801);


--
-- Data for Name: probe; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.probe VALUES (1, 1);


--
-- Data for Name: recovery_code; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.recovery_code VALUES ('sp1account', '\x0101010101010101010101010101010101010101010101010101010101010101');


--
-- Data for Name: revocation; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.revocation VALUES ('sp1account', 'device-9', '\x09');


--
-- Data for Name: revoked_lease; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.revoked_lease VALUES ('gone', 1772370000000);


--
-- Data for Name: session; Type: TABLE DATA; Schema: sallyport; Owner: -
--

INSERT INTO sallyport.session VALUES ('session-1', 'sp1account', 'device-1', '\x3131313131313131313131313131313131313131313131313131313131313131', 1772366400000, 1772409600000, 1772366400000, NULL, NULL);


--
-- Name: deletion_id_seq; Type: SEQUENCE SET; Schema: sallyport; Owner: -
--

SELECT pg_catalog.setval('sallyport.deletion_id_seq', 1, true);


--
-- Name: account account_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.account
    ADD CONSTRAINT account_key PRIMARY KEY (account);


--
-- Name: deletion deletion_pkey; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.deletion
    ADD CONSTRAINT deletion_pkey PRIMARY KEY (id);


--
-- Name: device device_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.device
    ADD CONSTRAINT device_key PRIMARY KEY (account, device);


--
-- Name: factor factor_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.factor
    ADD CONSTRAINT factor_key PRIMARY KEY (account, factor);


--
-- Name: invite invite_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.invite
    ADD CONSTRAINT invite_key PRIMARY KEY (invite);


--
-- Name: kysely_migration_lock kysely_migration_lock_pkey; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.kysely_migration_lock
    ADD CONSTRAINT kysely_migration_lock_pkey PRIMARY KEY (id);


--
-- Name: kysely_migration kysely_migration_pkey; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.kysely_migration
    ADD CONSTRAINT kysely_migration_pkey PRIMARY KEY (name);


--
-- Name: lease_count lease_count_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.lease_count
    ADD CONSTRAINT lease_count_key PRIMARY KEY (account, hour);


--
-- Name: lease lease_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.lease
    ADD CONSTRAINT lease_key PRIMARY KEY (jti);


--
-- Name: lockout lockout_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.lockout
    ADD CONSTRAINT lockout_key PRIMARY KEY (account);


--
-- Name: policy_serial policy_serial_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.policy_serial
    ADD CONSTRAINT policy_serial_key PRIMARY KEY (one);


--
-- Name: probe probe_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.probe
    ADD CONSTRAINT probe_key PRIMARY KEY (one);


--
-- Name: recovery_code recovery_code_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.recovery_code
    ADD CONSTRAINT recovery_code_key PRIMARY KEY (account, hash);


--
-- Name: revocation revocation_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.revocation
    ADD CONSTRAINT revocation_key PRIMARY KEY (account, device);


--
-- Name: revoked_lease revoked_lease_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.revoked_lease
    ADD CONSTRAINT revoked_lease_key PRIMARY KEY (jti);


--
-- Name: session session_key; Type: CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.session
    ADD CONSTRAINT session_key PRIMARY KEY (session);


--
-- Name: device_by_state_account_device; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX device_by_state_account_device ON sallyport.device USING btree (state, account, device);


--
-- Name: invite_by_code_hash; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE UNIQUE INDEX invite_by_code_hash ON sallyport.invite USING btree (code_hash);


--
-- Name: lease_by_account_expires_at; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX lease_by_account_expires_at ON sallyport.lease USING btree (account, expires_at);


--
-- Name: lease_by_expires_at; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX lease_by_expires_at ON sallyport.lease USING btree (expires_at);


--
-- Name: lease_by_kid; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX lease_by_kid ON sallyport.lease USING btree (kid);


--
-- Name: lease_by_session; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX lease_by_session ON sallyport.lease USING btree (session);


--
-- Name: revoked_lease_by_expires_at; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX revoked_lease_by_expires_at ON sallyport.revoked_lease USING btree (expires_at);


--
-- Name: session_by_account_device; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX session_by_account_device ON sallyport.session USING btree (account, device);


--
-- Name: session_by_ended_at_ends_at; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE INDEX session_by_ended_at_ends_at ON sallyport.session USING btree (ended_at, ends_at);


--
-- Name: session_by_token_hash; Type: INDEX; Schema: sallyport; Owner: -
--

CREATE UNIQUE INDEX session_by_token_hash ON sallyport.session USING btree (token_hash);


--
-- Name: device device_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.device
    ADD CONSTRAINT device_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- Name: factor factor_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.factor
    ADD CONSTRAINT factor_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- Name: lease_count lease_count_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.lease_count
    ADD CONSTRAINT lease_count_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- Name: lease lease_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.lease
    ADD CONSTRAINT lease_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- Name: lockout lockout_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.lockout
    ADD CONSTRAINT lockout_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- Name: recovery_code recovery_code_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.recovery_code
    ADD CONSTRAINT recovery_code_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- Name: session session_of_account; Type: FK CONSTRAINT; Schema: sallyport; Owner: -
--

ALTER TABLE ONLY sallyport.session
    ADD CONSTRAINT session_of_account FOREIGN KEY (account) REFERENCES sallyport.account(account) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


