import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isAuditEvent } from '../../audit/record.js';
import { REQUEST_NAMES, type RequestName } from '../../messages/requests.js';
import { HOLDERS, seedBundleRoles } from '../../../test/seeds/roles.js';
import type { Caller } from '../caller.js';
import { authorise, isFresh, type Authorisation } from './authorisation.js';
import { AUDIT_LEVELS, levelOf, recordOf, type DecidedRequest } from './record.js';
import { isAdministration, ROUTES, STEP_UP_SECONDS } from './routes.js';

const GOLDEN = join(import.meta.dirname, '../../../test/golden/access');
const NOW = Date.parse('2026-03-02T12:00:00Z');
const roles = seedBundleRoles(new Date(NOW));

/** Who asks: the holders of the seed's roles, an administrator that the resource names, and somebody without a role. */
const PRINCIPALS = { ...HOLDERS, named: 'sp1named', nobody: 'sp1nobody' } as const;
/** The credential: how long ago a second factor was proven, if it was. */
const CREDENTIALS = {
  'no factor': {},
  'must enrol': { mustEnrol: true },
  'fresh factor': { secondFactorAt: NOW - STEP_UP_SECONDS * 1_000 },
  'old factor': { secondFactorAt: NOW - (STEP_UP_SECONDS + 1) * 1_000 },
} as const;
type Principal = keyof typeof PRINCIPALS;
type Credential = keyof typeof CREDENTIALS;

const caller = (principal: Principal, credential: Credential): Caller => ({
  account: PRINCIPALS[principal],
  ...{ identity: new Uint8Array(32), binding: new Uint8Array(201), revocations: [] },
  ...{ device: 'd', session: 's', endsAt: NOW + 1, mustEnrol: false },
  administrator: principal === 'named',
  ...CREDENTIALS[credential],
});
const ask = (name: RequestName, principal: Principal, credential: Credential): Authorisation =>
  authorise({
    ...{ route: ROUTES[name], caller: caller(principal, credential), roles, now: NOW },
    comesFrom: () => false,
  });
const combinations = REQUEST_NAMES.flatMap((name) =>
  (Object.keys(PRINCIPALS) as Principal[]).flatMap((principal) =>
    (Object.keys(CREDENTIALS) as Credential[]).map((credential) => ({
      ...{ name, principal, credential },
      answer: ask(name, principal, credential),
    })),
  ),
);
const decided = ({ name, principal, answer }: (typeof combinations)[number]): DecidedRequest => ({
  ...{ name, route: ROUTES[name], account: PRINCIPALS[principal], by: answer.by },
  ...{ administrator: principal === 'named', address: '203.0.113.9' },
  ...(answer.allowed ? {} : { denial: answer.reason }),
});

/** `content` is that of the golden file `name`; UPDATE_GOLDEN=1 writes it. */
function itIsGolden(name: string, content: string): void {
  const path = join(GOLDEN, name);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, content);
  expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(content);
}

describe('S40: requests by role and state of the credential', () => {
  it('S93, S94, S95: are answered as the matrix says', () => {
    const cell = ({ answer }: (typeof combinations)[number]): string =>
      answer.allowed ? 'yes' : answer.reason;
    const lines = combinations.map(
      (one) => `${one.name} | ${one.principal} | ${one.credential} | ${cell(one)}`,
    );
    itIsGolden('matrix.txt', `request | role | credential | answer\n${lines.join('\n')}\n`);
  });

  it('are refused to who has no role, but for what concerns himself', () => {
    const allowed = combinations.filter(
      ({ principal, answer }) => principal === 'nobody' && answer.allowed,
    );
    expect(allowed.every(({ name }) => ROUTES[name].permission === 'Own')).toBe(true);
  });

  it('of administration are for administrators, with the factor that their role asks for', () => {
    for (const { name, principal, credential, answer } of combinations.filter(({ name: any }) =>
      isAdministration(any),
    )) {
      const mayEver = principal === 'admin' || principal === 'named';
      const proven = credential === 'fresh factor' || credential === 'old factor';
      if (!mayEver || (principal === 'admin' && !proven))
        expect([name, answer.allowed]).toEqual([name, false]);
    }
  });

  it('S91: that need a step-up are refused without a proof of the last 300 seconds', () => {
    const stepUps = combinations.filter(({ name }) => ROUTES[name].stepUp === true);
    expect(new Set(stepUps.map(({ name }) => name)).size).toBe(4);
    for (const { credential, answer } of stepUps)
      if (credential !== 'fresh factor') expect(answer.allowed).toBe(false);
    expect(isFresh(caller('named', 'fresh factor'), NOW)).toBe(true);
    expect(isFresh(caller('named', 'old factor'), NOW)).toBe(false);
  });

  it('before an enrolment that policy wants are refused, but for the enrolment', () => {
    const early = combinations.filter(({ credential }) => credential === 'must enrol');
    for (const { name, answer } of early)
      if (ROUTES[name].enrolment !== true)
        expect(answer).toMatchObject({ reason: 'SecondFactorNotEnrolled' });
  });

  it.each(AUDIT_LEVELS)(
    'S40: leave one well-formed record for each denial and each act of administration, at %s',
    (level) => {
      for (const one of combinations) {
        const record = recordOf(decided(one), level);
        if (!one.answer.allowed || isAdministration(one.name))
          expect(isAuditEvent(record)).toBe(true);
        else expect(record === undefined || isAuditEvent(record)).toBe(true);
      }
    },
  );
});

describe('records by level', () => {
  it('S96: hold the fields of the golden ones and never content', () => {
    const samples = [
      { name: 'admin.account.lock', principal: 'named', credential: 'fresh factor' },
      { name: 'factor.remove', principal: 'user', credential: 'fresh factor' },
      { name: 'factor.remove', principal: 'user', credential: 'old factor' },
      { name: 'envelope.send', principal: 'user', credential: 'fresh factor' },
      { name: 'lease.issue', principal: 'nobody', credential: 'fresh factor' },
    ] as const;
    const records = AUDIT_LEVELS.flatMap((level) =>
      samples.map((sample) => {
        const { name, principal, credential } = sample;
        const answer = ask(name, principal, credential);
        return { level, sample, record: recordOf(decided({ ...sample, answer }), level) ?? null };
      }),
    );
    itIsGolden('records.json', `${JSON.stringify(records, null, 2)}\n`);
  });

  it('are as detailed as the gateway or one of the roles asks for', () => {
    expect(levelOf('Minimal', roles)).toBe('Maximum');
    expect(
      levelOf(
        'Standard',
        roles.filter(({ name }) => name === 'guest'),
      ),
    ).toBe('Standard');
    expect(levelOf('Minimal', [])).toBe('Minimal');
  });
});
