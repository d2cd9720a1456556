/*
 * The relay without sockets, with a clock that tests move: everything that it sends is kept in a list. For attacks whose
 * outcome depends on time, on source addresses that nobody can bind, or on a hundred thousand datagrams.
 */
import { randomBytes } from 'node:crypto';
import { ipText, parseIpAddress } from '../../src/runtime/ip-address.js';
import {
  LINK_WORD,
  newAddress,
  PORT_WORD,
  setAddress,
  ipBytes,
} from '../../src/relay/packet/address.js';
import type { PacketConfiguration } from '../../src/relay/packet/packet-messages.js';
import { PacketRelay } from '../../src/relay/packet/packet-relay.js';
import { newStatistics, readStatistics } from '../../src/relay/packet/statistics.js';
import type { Burst } from '../../src/relay/socket/udp-socket.js';
import { hello, prove, RELAY_ID, type TestLease } from './relay-udp-bed.js';

/** A datagram that the relay sent. */
export interface Sent {
  readonly bytes: Uint8Array;
  /** `ADDRESS PORT` */
  readonly to: string;
}

/** An endpoint at an address. */
export class Still {
  readonly block = newStatistics();
  readonly sent: Sent[] = [];
  monotonicMs = 1_000_000;
  unixMs = Date.now();
  readonly relay: PacketRelay;

  constructor(configuration: PacketConfiguration, addresses: readonly string[] = ['203.0.113.1']) {
    this.relay = new PacketRelay({
      start: { relayId: RELAY_ID, addresses },
      statistics: this.block,
      secrets: { udp: randomBytes(32), tcp: randomBytes(32) },
      seed: 12_345,
      now: this.monotonicMs,
      unixMs: () => this.unixMs,
    });
    this.relay.ports = [3478];
    this.relay.path.sockets.push({
      port: 3478,
      send: (burst, to, at) => {
        this.#keep(burst, to, at);
      },
      flush: () => undefined,
      close: () => undefined,
    });
    this.pass(0);
    this.relay.configure(configuration);
  }

  /** All counters. */
  get statistics() {
    return readStatistics(this.block);
  }

  /** Lets time pass, on both clocks unless told otherwise. */
  pass(ms: number, wallMs = ms): void {
    this.monotonicMs += ms;
    this.unixMs += wallMs;
    this.relay.begin(this.monotonicMs, false);
    this.relay.tick(this.monotonicMs);
  }

  /** Gives the relay what came from `ADDRESS PORT`; gives what it sent in return. */
  receive(from: string, bytes: Uint8Array, segment = bytes.length): Sent[] {
    this.sent.length = 0;
    const [address = '', port = '0'] = from.split(' ');
    const words = newAddress();
    setAddress(words, parseIpAddress(address)!, { port: Number(port), link: 0 });
    this.relay.path.receive({ bytes, at: 0, length: bytes.length, segment }, words);
    return [...this.sent];
  }

  /** HELLO from an address; the COOKIE frame. */
  cookie(from: string, sid: Uint8Array): Uint8Array {
    const [answer] = this.receive(from, hello(sid));
    if (!answer) throw new Error(`no COOKIE for ${from}`);
    return answer.bytes;
  }

  /** HELLO and PROVE; the type of the answer, `PROVED` as 0x25, and its reason if it is REFUSED. */
  prove(from: string, lease: TestLease, seq = 1n): number {
    return this.answerTo(from, prove(lease, this.cookie(from, lease.sid), seq));
  }

  /** The type of the answer to one frame, 1000 and its reason for REFUSED, 0 for none. */
  answerTo(from: string, frame: Uint8Array): number {
    const [answer] = this.receive(from, frame);
    if (!answer) return 0;
    return answer.bytes[2] === 0x26 ? 1_000 + answer.bytes[37]! : answer.bytes[2]!;
  }

  #keep({ bytes, at, length, segment }: Burst, to: Uint32Array, toAt: number): void {
    const ip = ipText(ipBytes(to, toAt));
    for (let next = at; next < at + length; next += segment)
      this.sent.push({
        bytes: bytes.slice(next, Math.min(next + segment, at + length)),
        to: `${ip} ${to[toAt + PORT_WORD]!}`,
      });
    if (to[toAt + LINK_WORD] !== 0) throw new Error('only one socket is here');
  }
}

/** Answers of the relay, as `answerTo` gives them. */
export const PROVED = 0x25;
/** A refusal with this code. */
export const refusedWith = (code: number): number => 1_000 + code;
