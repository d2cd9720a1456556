/*
 * Two homes on a network, each a machine behind a router with address translation, made of network namespaces:
 *
 *   machine 192.168.N.2 -- lan 192.168.N.1 router 10.1.N.2 wan -- 10.1.N.1 this namespace, 10.1.0.1 -- the other home
 *
 * To be used as root in namespaces that nobody else uses (nat-run.ts). They end with the processes that hold them.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { until } from '../processes/relay-udp-endpoint.js';
import {
  CAPTURE_RULES,
  destinationsOf,
  natRules,
  type NatKind,
  type UdpRule,
} from './nat-rules.js';

/** Where gateway and relay listen. */
export const SERVER_ADDRESS = '10.1.0.1';

/** `nft` of the unpacked package, as nat-run.ts names it. */
const NFT = process.env['SALLYPORT_TEST_NFT'] ?? 'nft';

/** Runs a program and gives its standard output. */
const run = (program: string, words: readonly string[], input = ''): string =>
  execFileSync(program, words, { input, stdio: ['pipe', 'pipe', 2], encoding: 'utf8' });
const ip = (line: string): string => run('ip', line.split(' '));

/** A namespace that lives as long as its process. */
export class Namespace {
  private constructor(private readonly holder: ChildProcess) {}

  static async make(): Promise<Namespace> {
    // It ends at the end of its input, so with this program, however that ends.
    const holder = spawn('unshare', ['-n', 'cat'], { stdio: ['pipe', 'ignore', 2] });
    const own = readlinkSync('/proc/self/ns/net');
    const path = `/proc/${holder.pid}/ns/net`;
    await until('a namespace', () => existsSync(path) && readlinkSync(path) !== own);
    const made = new Namespace(holder);
    made.ip('link set lo up');
    return made;
  }

  get pid(): string {
    return `${this.holder.pid}`;
  }

  /** What a program in this namespace is started with. */
  get entry(): readonly string[] {
    return ['nsenter', '-t', this.pid, '-n'];
  }

  run(words: readonly string[], input = ''): string {
    return run('nsenter', [...this.entry.slice(1), ...words], input);
  }

  ip(line: string): void {
    this.run(['ip', ...line.split(' ')]);
  }

  /** Takes what belongs to interfaces and routes off, and puts it on again. */
  rules(text: string): void {
    this.run([NFT, '-f', '-'], text);
  }

  forward(): void {
    this.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  }

  end(): void {
    this.holder.stdin?.end();
  }
}

/** A machine behind a router. */
export class Home {
  #address: string;
  #wan: string;

  private constructor(
    readonly number: number,
    private readonly router: Namespace,
    private readonly machine: Namespace,
  ) {
    this.#address = `192.168.${number}.2`;
    this.#wan = `10.1.${number}.2`;
  }

  static async make(number: number): Promise<Home> {
    const [router, machine] = [await Namespace.make(), await Namespace.make()];
    const home = new Home(number, router, machine);
    ip(`link add to${number} type veth peer name wan netns ${router.pid}`);
    ip(`addr add 10.1.${number}.1/24 dev to${number}`);
    ip(`link set to${number} up`);
    router.ip(`addr add ${home.#wan}/24 dev wan`);
    router.ip('link set wan up');
    router.ip(`route add default via 10.1.${number}.1`);
    router.ip(`link add lan type veth peer name eth0 netns ${machine.pid}`);
    router.ip(`addr add 192.168.${number}.1/24 dev lan`);
    router.ip('link set lan up');
    router.forward();
    machine.rules(CAPTURE_RULES);
    home.#up();
    return home;
  }

  /** The address of the router that others see. */
  get wan(): string {
    return this.#wan;
  }

  /** What a program on the machine is started with. */
  get entry(): readonly string[] {
    return this.machine.entry;
  }

  /** From now on the router is of this kind. Connections that it knows go on. */
  translate(kind: NatKind, udp: UdpRule = 'forwarded'): void {
    this.router.rules(natRules(kind, this.#address, udp));
  }

  /** The router gets another address on the outside, and has forgotten all that it translated, as after a restart. */
  renumber(kind: NatKind): void {
    const { number } = this;
    this.router.ip(`addr del ${this.#wan}/24 dev wan`);
    this.#wan = `10.1.${number}.3`;
    this.router.ip(`addr add ${this.#wan}/24 dev wan`);
    this.router.ip(`route add default via 10.1.${number}.1`);
    this.translate(kind);
  }

  /** The cable of the machine is out. */
  unplug(): void {
    this.machine.ip('link set eth0 down');
  }

  /** The cable is in again; the machine has the address that ends in `host`. */
  plug(kind: NatKind, host: number): void {
    this.machine.ip('addr flush dev eth0');
    this.#address = `192.168.${this.number}.${host}`;
    this.translate(kind);
    this.#up();
  }

  /** Begins to count anew where the machine sends datagrams. */
  capture(): void {
    this.machine.rules(CAPTURE_RULES);
  }

  /** Datagrams that the machine sent, by `ADDRESS:PORT`. */
  captured(): Readonly<Record<string, number>> {
    return destinationsOf(this.machine.run([NFT, '-j', 'list', 'set', 'ip', 'capture', 'sent']));
  }

  end(): void {
    for (const namespace of [this.router, this.machine]) namespace.end();
  }

  #up(): void {
    this.machine.ip(`addr add ${this.#address}/24 dev eth0`);
    this.machine.ip('link set eth0 up');
    this.machine.ip(`route add default via 192.168.${this.number}.1`);
  }
}

/** The network between the homes. */
export class Networks {
  private constructor(readonly homes: readonly [Home, Home]) {}

  static async make(): Promise<Networks> {
    ip('link set lo up');
    ip(`addr add ${SERVER_ADDRESS}/32 dev lo`);
    run('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    return new Networks([await Home.make(1), await Home.make(2)]);
  }

  /** Cuts the way from home to home; that of each to the servers stays. */
  cut(): void {
    run(
      NFT,
      ['-f', '-'],
      'flush ruleset\ntable ip core { chain forward { type filter hook forward priority filter; drop\n}\n}\n',
    );
  }

  /** The way from home to home is there again. */
  mend(): void {
    run(NFT, ['-f', '-'], 'flush ruleset\n');
  }

  end(): void {
    for (const home of this.homes) home.end();
  }
}
