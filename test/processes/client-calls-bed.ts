/*
 * Two endpoints with calls and a session between them that is a pair of queues: grants, their holder and the judgement are
 * real; gateway, relay and handshake are not there (nat-calls.spec.ts has them). Time is the bed's.
 */
import { EventEmitter } from 'node:events';
import type {
  CallClient,
  CallClientEvents,
  CallSession,
} from '../../src/client/calls/call-client.js';
import { Calls } from '../../src/client/calls/calls.runner.js';
import type { AskGateway } from '../../src/client/contacts/session-leases.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { ChannelFullError } from '../../src/protocol/channels/channels.js';
import { LoopClient, type Allowed } from './client-files-bed.js';

/** One half of a session. Chat is acknowledged when the other half has it; call frames are not. */
export class CallLoop implements CallSession {
  readonly peer: CallSession['peer'];
  isEstablished = true;
  isFull = false;
  /** Chat is held back until it is released. */
  isHeld = false;
  other: CallLoop | undefined;
  readonly sent: { readonly channel: 'call' | 'chat'; readonly bytes: Uint8Array }[] = [];
  readonly #owner: CallPerson;
  #nextId = 0;

  constructor(owner: CallPerson, fingerprint: string, deviceId: Uint8Array) {
    this.#owner = owner;
    this.peer = { fingerprint, device: { keys: { deviceId } } };
  }

  send(channel: 'call' | 'chat', bytes: Uint8Array): number {
    if (this.isFull && channel === 'chat') throw new ChannelFullError(channel);
    this.sent.push({ channel, bytes });
    if (channel === 'call') {
      setImmediate(() => this.other?.takeFrame(bytes));
      return -1;
    }
    const id = this.#nextId++;
    setImmediate(() => {
      if (this.isHeld) return;
      this.other?.takeChat(bytes);
      this.#owner.emit('acknowledged', this.peer.fingerprint, 'chat', id);
    });
    return id;
  }

  takeChat(bytes: Uint8Array): void {
    this.#owner.emit('call-grant', this, bytes.slice(1));
  }

  takeFrame(bytes: Uint8Array): void {
    this.#owner.emit('message', this.peer.fingerprint, 'call', bytes);
  }
}

/** One of the two. */
export class CallPerson
  extends EventEmitter<CallClientEvents<CallLoop>>
  implements CallClient<CallLoop>
{
  readonly leaseKeys: CallClient<CallLoop>['leaseKeys'];
  readonly request: AskGateway;
  readonly calls: Calls<CallLoop>;
  readonly frames: string[] = [];
  readonly refused: string[] = [];
  current: CallLoop | undefined;
  readonly #source: LoopClient;

  constructor(
    readonly fingerprint: string,
    readonly deviceId: Uint8Array,
    allowed: Allowed,
    bed: CallBed,
  ) {
    super();
    this.#source = new LoopClient(fingerprint, deviceId, allowed, () => undefined);
    this.leaseKeys = this.#source.leaseKeys;
    const source = this.#source;
    // The only request of calls, and its answer: a grant for ten minutes from the bed's time on.
    this.request = (() => {
      const exp = Math.floor(bed.nowMs / 1_000) + 600;
      const { allowed } = source;
      source.allowed = { exp, ...allowed };
      const grant = source.grant();
      source.allowed = allowed;
      return bed.isGatewayThere ? Promise.resolve({ grant }) : Promise.reject(new Error('away'));
    }) as never;
    this.calls = new Calls<CallLoop>(this, nodeBackend, bed);
    this.calls.on('frame', (_peer, bytes) => this.frames.push(Buffer.from(bytes).toString()));
    this.calls.on('refused', (_peer, reason) => this.refused.push(reason));
  }

  session = (): Promise<CallLoop> =>
    this.current === undefined
      ? Promise.reject(new Error('absent'))
      : Promise.resolve(this.current);

  /** The gateway says that roles have changed. */
  may(allowed: Allowed): void {
    this.#source.allowed = allowed;
    this.emit('permissions');
  }
}

/** Alice and Bob with a session. */
export class CallBed {
  nowMs = Date.now();
  isGatewayThere = true;
  readonly alice: CallPerson;
  readonly bob: CallPerson;

  constructor(alice: Allowed, bob: Allowed) {
    this.alice = new CallPerson('alice', new Uint8Array(16).fill(1), alice, this);
    this.bob = new CallPerson('bob', new Uint8Array(16).fill(2), bob, this);
    this.connect();
  }

  now(): Date {
    return new Date(this.nowMs);
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  /** There is another session. */
  connect(): void {
    const { alice, bob } = this;
    for (const { current } of [alice, bob]) if (current) current.isEstablished = false;
    alice.current = new CallLoop(alice, 'bob', bob.deviceId);
    bob.current = new CallLoop(bob, 'alice', alice.deviceId);
    alice.current.other = bob.current;
    bob.current.other = alice.current;
    alice.emit('session', 'bob', alice.current);
    bob.emit('session', 'alice', bob.current);
  }

  close(): void {
    this.alice.calls.close();
    this.bob.calls.close();
  }
}
