/*
 * A gateway's registry for real relays: the internal listener and the room of leases in the process of the test, lease
 * keys in files that change the way the operator changes them, and a relay that runs as a process of its own.
 */
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { MountedLeaseFiles } from '../../src/gateway/leases/mounted.files.js';
import type { RelayConversation } from '../../src/gateway/rooms.js';
import { InternalListener } from '../../src/gateway/server/internal.listener.js';
import { serverCounters } from '../../src/gateway/server/metrics.js';
import { relayIdentity } from '../../src/gateway/server/relay-identity.js';
import type { FromGateway, FromRelay } from '../../src/messages/relay-registry.js';
import type { RequestBody } from '../../src/messages/requests.js';
import type { KeyFact } from '../../src/operator/keys/facts.js';
import {
  created,
  keySet,
  promoted,
  revoked,
  type Change,
} from '../../src/operator/keys/key-set.js';
import { acceptedKeys } from '../../src/operator/keys/lease-keys.js';
import { ascii } from '../../src/protocol/bytes.js';
import { toBase64url } from '../../src/protocol/lease/base64url.js';
import { leaseKeyId, leaseRequestSigningInput, sessionId } from '../../src/protocol/lease/ids.js';
import type { LeaseClaims } from '../../src/protocol/lease/lease.js';
import type { Role } from '../../src/protocol/relay/version-1.js';
import { SILENT_LOGGER } from '../../src/runtime/log.js';
import { createMetricsRegistry } from '../../src/runtime/metrics.registry.js';
import { WatchedFiles } from '../../src/runtime/watched.files.js';
import { LeaseBed, pair, sha256 } from './gateway-leases-bed.js';
import { GATEWAY_IDENTITY, GatewayFolder, HOST, INSTALL } from './gateway-process.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
  type TestLeaf,
} from './relay-shell-bed.js';
import { until } from './relay-udp-endpoint.js';
import type { TestLease } from './relay-udp-bed.js';

const SCHEDULE = { everySeconds: 86_400, overlapSeconds: 1_800 };
/** The relay that registers. */
export const RID = 'edge/eu/0';

/** A gateway that relays register at. */
export class RegistryBed {
  readonly folder: GatewayFolder;
  readonly leases: LeaseBed;
  /** What relays said, in the order in which it came. */
  readonly received: FromRelay[] = [];
  /** The gateway's clock is ahead of everybody's by so much. */
  aheadMs = 0;
  facts: readonly KeyFact[] = [];
  readonly #pems = new Map<string, string>();
  readonly #watched = new WatchedFiles(100);
  readonly #files: MountedLeaseFiles;
  readonly #senders = new Set<(message: FromGateway) => void>();
  #listener: InternalListener | undefined;
  #timer: NodeJS.Timeout | undefined;
  #port = 0;

  private constructor(folder: GatewayFolder) {
    this.folder = folder;
    const { keys, relays } = folder.settings;
    this.#files = new MountedLeaseFiles({
      paths: { keys, relays },
      rolesOf: () => [],
      log: SILENT_LOGGER,
      loaded: () => undefined,
      unixMs: () => Date.now(),
    });
    this.leases = new LeaseBed({
      clock: {
        now: () => new Date(Date.now() + this.aheadMs),
        monotonicMs: () => performance.now(),
      },
    });
    Object.defineProperties(this.leases, {
      keys: { get: () => this.#files.keys() },
      places: { get: () => this.#files.relays() },
    });
  }

  static async start(): Promise<RegistryBed> {
    const bed = new RegistryBed(await GatewayFolder.make());
    await bed.writeRelay();
    await bed.changeKeys(({ time }) => created(time));
    bed.#files.watch(bed.#watched);
    await bed.#watched.start();
    await bed.listen();
    bed.#timer = setInterval(() => {
      void bed.leases.room.tick?.(Date.now());
    }, 200);
    return bed;
  }

  /** The port of the registration. */
  get port(): number {
    return this.#port;
  }

  get heartbeats(): readonly Extract<FromRelay, { type: 'heartbeat' }>[] {
    return this.received.filter((message) => message.type === 'heartbeat');
  }

  /** Binds the listener, at the port of before if there was one. */
  async listen(leaf: TestLeaf = this.folder.authority.leaf(GATEWAY_IDENTITY, HOST)): Promise<void> {
    const { certificate } = this.folder.authority;
    const trust = new Map([['edge', [new X509Certificate(certificate)]]]);
    const settings = this.folder.settings;
    const internal = { port: this.#port, addresses: ['127.0.0.1'] };
    this.#listener = new InternalListener({
      settings: () => ({ ...settings, listeners: { ...settings.listeners, internal } }),
      counters: serverCounters(createMetricsRegistry({ processMetrics: false })),
      monotonicMs: () => performance.now(),
      identityOf: (der) => relayIdentity(der, { installId: INSTALL, trust }),
      relays: { accept: (identity, send) => this.#accept(identity, send) },
      failed: (what, error) => {
        throw new Error(what, { cause: error });
      },
    });
    this.#listener.present({ cert: leaf.certificate, key: leaf.key, ca: certificate });
    await this.#listener.listen();
    this.#port = this.#listener.port;
  }

  /** Cuts every relay and listens no more. */
  hangUp(): void {
    this.#listener?.close();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#watched.stop();
    this.hangUp();
    this.#files.erase();
    await rm(this.folder.path, { recursive: true });
  }

  /** Says something that the room would not say now. */
  say(message: FromGateway): void {
    for (const send of this.#senders) send(message);
  }

  /** Names the relay at this port in relays.json. */
  async writeRelay(port = 3478): Promise<void> {
    await this.folder.writeRelays([{ id: RID, region: 'europe', address: '127.0.0.1', port }]);
  }

  /** Changes the lease keys as the operator does, and gives the new facts. */
  async changeKeys(
    change: (at: {
      keys: ReturnType<typeof keySet>;
      time: Parameters<typeof created>[0];
    }) => Change,
  ): Promise<readonly KeyFact[]> {
    const now = new Date();
    const time = { now, schedule: SCHEDULE, publishSeconds: 0 };
    const { keep, carry, make } = change({ keys: keySet(this.facts, now), time });
    const made = make.map((fact) => ({ ...this.#newKey(), ...fact }));
    this.facts = [...made, ...keep];
    const mounted = [...made.map(({ kid }) => kid), ...carry];
    await this.folder.mount('lease-keys', {
      'keys.json': `${JSON.stringify(this.facts)}\n`,
      ...Object.fromEntries(mounted.map((kid) => [`${kid}.pem`, this.#pems.get(kid) ?? ''])),
    });
    return this.facts;
  }

  /** The next key signs from now on. */
  rotate(): Promise<readonly KeyFact[]> {
    return this.changeKeys(({ keys, time }) => promoted(keys, time));
  }

  /** The emergency: this key is nobody's any more. */
  revokeKey(kid: string): Promise<readonly KeyFact[]> {
    return this.changeKeys(({ keys, time }) =>
      revoked(
        keys,
        this.facts.find((fact) => fact.kid === kid)!,
        time,
      ),
    );
  }

  kidOf(state: KeyFact['state']): string {
    return this.facts.find((fact) => fact.state === state)!.kid;
  }

  /** gateways.json of a relay, with the keys as they are now. */
  async writeGateways(relay: RelayFolder, facts = this.facts): Promise<void> {
    const leaseKeys = acceptedKeys(facts).map(
      ({ kid, public: publicKey, notBefore, notAfter }) => ({
        ...{ kid, publicKey, notBefore, notAfter },
      }),
    );
    const caCertificates = [this.folder.authority.certificate];
    const over = { port: this.#port, caCertificates, leaseKeys };
    await relay.writeDirectory([directoryGateway('edge/main', [], over)]);
  }

  /** A relay with everything it needs, registered and live. */
  async relay(): Promise<{ readonly folder: RelayFolder; readonly relay: RelayProcess }> {
    const folder = await RelayFolder.make();
    await folder.writeLeaf(this.folder.authority.leaf(POOL_IDENTITY));
    await folder.writeSettings();
    await this.writeGateways(folder);
    const relay = await RelayProcess.run(folder);
    try {
      await this.writeRelay(relay.port);
      await relay.answers(200, /^ready$/m);
      await until('the relay is live', () => this.state === 'Live');
    } catch (cause) {
      await relay.kill();
      throw new Error(`the relay is ${this.state}: ${relay.stderr}`, { cause });
    }
    return { folder, relay };
  }

  /** What the registry makes of the relay. */
  get state(): string {
    const answer = this.leases.room.handlers['admin.relay.list']!({}, this.leases.connect());
    return (answer as { items: { state: string }[] }).items[0]?.state ?? 'no address';
  }

  /** A lease as an endpoint gets it: what the handler answers, with the key that proves it. */
  async lease(role: Role = 'client', session = pair(), account = 'sp1a'): Promise<IssuedLease> {
    const asked = new AskedLease(role, session);
    const now = Date.now() + this.aheadMs;
    const as = this.leases.connect(account, { endsAt: now + 3_600_000 });
    const answer = await this.leases.room.handlers['lease.issue']!(asked.body, { ...as, now });
    if (!('lease' in answer)) throw new Error(`refused: ${answer.refused}`);
    return asked.issued(answer.lease);
  }

  #accept(identity: string, send: (message: FromGateway) => void): RelayConversation | undefined {
    const conversation = this.leases.room.accept(identity, send);
    if (!conversation) return undefined;
    this.#senders.add(send);
    return {
      receive: (message) => {
        this.received.push(message);
        return conversation.receive(message);
      },
      closed: () => {
        this.#senders.delete(send);
        conversation.closed();
      },
    };
  }

  #newKey(): Pick<KeyFact, 'kid' | 'public'> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const bytes = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    const kid = leaseKeyId(bytes, sha256);
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    this.#pems.set(kid, pem);
    return { kid, public: bytes.toString('base64url') };
  }
}

/** A request for a lease at the relay, with the key that it is for. */
export class AskedLease {
  readonly #keys = pair();
  readonly #sid: Uint8Array;
  readonly body: RequestBody<'lease.issue'>;

  constructor(
    private readonly role: Role = 'client',
    session = pair(),
  ) {
    const sid = (this.#sid = sessionId(session.publicKey, sha256));
    const asked = { gateway: 'edge/main', rid: RID, role, sid, cpk: this.#keys.publicKey };
    this.body = {
      ...{ rid: RID, role },
      spk: toBase64url(session.publicKey),
      sid: toBase64url(sid),
      cpk: toBase64url(this.#keys.publicKey),
      signature: toBase64url(sign(null, leaseRequestSigningInput(asked), session.privateKey)),
    };
  }

  /** The lease that was given for it, ready to be proven. */
  issued(lease: string): IssuedLease {
    const [, , payload = '', footer = ''] = lease.split('.');
    const signed = Buffer.from(payload, 'base64url').subarray(0, -64);
    const claims = JSON.parse(signed.toString()) as LeaseClaims;
    const { kid } = JSON.parse(Buffer.from(footer, 'base64url').toString()) as { kid: string };
    return { claims, sid: this.#sid, role: this.role, token: ascii(lease), keys: this.#keys, kid };
  }
}

/** A lease with the id of the key that signed it. */
export type IssuedLease = TestLease & { readonly kid: string };
