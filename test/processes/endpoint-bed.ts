/*
 * A relay and endpoints as processes, and a recorder between them that sees and may change every datagram.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { Role } from '../../src/protocol/relay/version-1.js';
import type { SocketKind } from '../../src/relay/packet/packet-messages.js';
import type { StatisticsReading } from '../../src/relay/packet/statistics.js';
import type { TlsRelay } from '../../src/client/relay-news.js';
import type { LeaseClaims } from '../../src/protocol/lease/lease.js';
import type { TestLeaf } from './endpoint-leaf.js';
import type {
  EndpointCommand,
  EndpointStart,
  HandedLease,
  RelayCommand,
  RelayStart,
} from './endpoint-messages.js';
import { aConfiguration, RELAY_ID, type TestGateway, type TestLease } from './relay-udp-bed.js';

const WAIT_MS = 30_000;

/** A line that a process has printed. */
export interface ProcessEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A program of this folder as a process: lines of JSON in, lines of JSON out. */
export class Program<Command> {
  readonly events: ProcessEvent[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;
  #errors = '';
  #taken = 0;
  #over = false;

  constructor(file: string, start: object) {
    const script = fileURLToPath(new URL(file, import.meta.url));
    this.#child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: 'pipe' });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as ProcessEvent);
      this.#wake();
    });
    this.#child.stderr!.on('data', (chunk) => (this.#errors += String(chunk)));
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => {
        this.#over = true;
        this.#wake();
        resolve();
      });
    });
    this.#write(start);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Gives it a command. */
  tell(command: Command): void {
    this.#write(command as object);
  }

  /** The next event of this name that nobody took yet. @throws Error after 30 s or the program's end. */
  async next(name: string, matches: (event: ProcessEvent) => boolean = () => true) {
    const untilMs = performance.now() + WAIT_MS;
    for (;;) {
      const at = this.events.findIndex(
        (e, i) => i >= this.#taken && e.event === name && matches(e),
      );
      if (at >= 0) {
        const [event] = this.events.splice(at, 1);
        return event!;
      }
      if (this.#over || performance.now() > untilMs)
        throw new Error(`no ${name}: ${JSON.stringify(this.events.slice(-10))} ${this.#errors}`);
      await this.#something(untilMs - performance.now());
    }
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await this.#ended;
    clearTimeout(timer);
  }

  #write(line: object): void {
    this.#child.stdin!.write(`${JSON.stringify(line)}\n`);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #something(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, withinMs));
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** How a relay of a test differs. */
export interface RelayChanges {
  readonly socket?: SocketKind;
  readonly addresses?: readonly string[];
  readonly relayId?: string;
  /** With a leaf it takes TLS as well. */
  readonly leaf?: TestLeaf;
}

/** The relay as a process. */
export class RelayProcess {
  private constructor(
    readonly program: Program<RelayCommand>,
    readonly port: number,
    private readonly fallbackPort: number | undefined,
    private readonly leaf: TestLeaf | undefined,
  ) {}

  static async start(gateway: TestGateway, changes: RelayChanges = {}): Promise<RelayProcess> {
    const { leaseKeys: _, ...configuration } = aConfiguration([]);
    const key = gateway.key();
    const start: RelayStart = {
      relayId: changes.relayId ?? RELAY_ID,
      addresses: changes.addresses ?? ['127.0.0.1'],
      socket: changes.socket ?? 'auto',
      configuration,
      ...(changes.leaf && {
        leaf: { certificate: changes.leaf.certificate, key: changes.leaf.key },
      }),
      leaseKeys: [{ ...key, publicKey: [...key.publicKey] }],
    };
    const program = new Program<RelayCommand>('endpoint-relay.ts', start);
    const ready = await program.next('ready');
    // What endpoint-relay.ts prints.
    const [port, fallbackPort] = [ready['port'] as number, ready['fallbackPort'] as number];
    return new RelayProcess(program, port, fallbackPort, changes.leaf);
  }

  /** Where it takes TLS, for an endpoint. @throws Error if it was started without a leaf. */
  get tls(): TlsRelay {
    const { fallbackPort: port, leaf } = this;
    if (port === undefined || leaf === undefined) throw new Error('this relay takes no TLS');
    return { host: '127.0.0.1', port, pins: [leaf.pin], identity: leaf.identity };
  }

  async statistics(): Promise<StatisticsReading> {
    this.program.tell({ do: 'statistics' });
    const { statistics } = await this.program.next('statistics');
    return statistics as StatisticsReading; // What endpoint-relay.ts prints.
  }
}

/** A lease of `gateway` in the form that an endpoint process reads. */
export function handed(lease: TestLease): HandedLease {
  const { d } = lease.keys.privateKey.export({ format: 'jwk' });
  return {
    token: Buffer.from(lease.token).toString('latin1'),
    relayId: lease.claims.rid,
    jti: Buffer.from(lease.claims.jti, 'base64url').toString('hex'),
    proofKey: Buffer.from(d!, 'base64url').toString('hex'),
  };
}

/** One session that two endpoints are to have: ids, token and both leases. */
export interface Meeting {
  readonly session: Buffer;
  readonly token: Buffer;
  readonly leases: Readonly<Record<Role, TestLease>>;
}

/** A new session, with leases of `gateway`. */
export function aMeeting(gateway: TestGateway, claims: Partial<LeaseClaims> = {}): Meeting {
  const session = randomBytes(16);
  return {
    session,
    token: randomBytes(16),
    leases: {
      client: gateway.lease(session, 'client', claims),
      server: gateway.lease(session, 'server', claims),
    },
  };
}

/** Seeds of the two accounts (test/identities.ts). */
export const ALICE_SEED = 0x10;
export const BOB_SEED = 0x20;

/** Starts one side of `meeting`: the client's is the initiator's, Alice's. */
export function startEndpoint(
  meeting: Meeting,
  role: Role,
  more: Pick<EndpointStart, 'relay'> & Partial<EndpointStart>,
): Program<EndpointCommand> {
  const isClient = role === 'client';
  const start: EndpointStart = {
    role: isClient ? 'initiator' : 'responder',
    self: isClient ? ALICE_SEED : BOB_SEED,
    peer: isClient ? BOB_SEED : ALICE_SEED,
    session: meeting.session.toString('hex'),
    token: meeting.token.toString('hex'),
    lease: handed(meeting.leases[role]),
    ...more,
  };
  return new Program('endpoint-process.ts', start);
}

/** Where a relay is for an endpoint. */
export const overUdp = (port: number) => ({ udp: { address: '127.0.0.1', port } });
