/*
 * Gateway and relay as processes at SERVER_ADDRESS, and an endpoint in each of the two homes of nat-networks.ts. For
 * programs that nat-run.ts starts.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinOfCertificate } from '../../src/client/gateway/served-chain.js';
import type { GatewaySettings } from '../../src/gateway/settings.js';
import type { BundleRole } from '../../src/policy/roles.js';
import { bundleOf, MEMBER, POLICY_KEY } from '../processes/client-bed.js';
import { GatewayFolder, GatewayProcess } from '../processes/gateway-process.js';
import {
  directoryGateway,
  POOL_IDENTITY,
  RelayFolder,
  RelayProcess,
} from '../processes/relay-shell-bed.js';
import { until } from '../processes/relay-udp-endpoint.js';
import type { Answer, EndpointQuestions, Question, QuestionName } from './nat-messages.js';
import { Networks, SERVER_ADDRESS, type Home } from './nat-networks.js';

const GATEWAY_NAME = 'gateway.test';
const RELAY_ID = 'edge/eu/0';

/** The endpoint of a home. */
export class HomeEndpoint {
  fingerprint = '';
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  private constructor(
    readonly home: Home,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.on('exit', (code) => {
      for (const [id, settle] of this.#waiting) settle({ id, error: `exit code ${code}` });
    });
  }

  static start(home: Home): HomeEndpoint {
    const program = join(import.meta.dirname, 'nat-endpoint.ts');
    const [enter = '', ...words] = home.entry;
    const child = spawn(enter, [...words, process.execPath, '--import', 'tsx', program], {
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    return new HomeEndpoint(home, child);
  }

  /** Asks the endpoint. @throws Error with what it failed with. */
  async asks<Name extends QuestionName>(
    name: Name,
    ...args: Parameters<EndpointQuestions[Name]>
  ): Promise<Awaited<ReturnType<EndpointQuestions[Name]>>> {
    const question: Question = { id: ++this.#asked, name, args };
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#waiting.set(question.id, resolve);
      this.child.send(question);
    });
    if (error !== undefined) throw new Error(`${name}: ${error}`);
    // The other end is nat-endpoint.ts, which answers as the interface says.
    return result as Awaited<ReturnType<EndpointQuestions[Name]>>;
  }

  end(): void {
    if (this.child.connected) this.child.disconnect();
  }
}

/** All of it, with two people who know each other. */
export class NatBed {
  private constructor(
    readonly networks: Networks,
    readonly relay: RelayProcess,
    readonly endpoints: readonly [HomeEndpoint, HomeEndpoint],
    private readonly gatewayFolder: GatewayFolder,
  ) {}

  /** `roles` are everybody's. */
  static async start(roles: readonly BundleRole[] = [MEMBER]): Promise<NatBed> {
    const networks = await Networks.make();
    for (const home of networks.homes) home.translate('full-cone');
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-nat-'));
    await nameGateway(folder);
    const gatewayFolder = await aGatewayFolder(roles);
    const gateway = await GatewayProcess.ready(gatewayFolder);
    const relay = await aRelay(gatewayFolder, gateway);
    const [first, second] = networks.homes;
    const endpoints = [HomeEndpoint.start(first), HomeEndpoint.start(second)] as const;
    const bed = new NatBed(networks, relay, endpoints, gatewayFolder);
    const pin = await pinIn(join(gatewayFolder.path, 'tls/tls.crt'));
    for (const [i, endpoint] of endpoints.entries())
      endpoint.fingerprint = await endpoint.asks(
        'open',
        `wss://${GATEWAY_NAME}:${gateway.port}`,
        pin,
        join(folder, `person${i}`),
      );
    await bed.#introduce();
    return bed;
  }

  /** From now on `roles` are everybody's. */
  async setRoles(roles: readonly BundleRole[], serial: number): Promise<void> {
    await this.gatewayFolder.mount('policy', { 'bundle.json': bundleOf(roles, serial) });
  }

  /** Ends the endpoints; the rest ends with the namespaces. */
  end(): void {
    for (const endpoint of this.endpoints) endpoint.end();
    this.networks.end();
  }

  async #introduce(): Promise<void> {
    const [alice, bob] = this.endpoints;
    await alice.asks('ask', bob.fingerprint);
    await bob.asks('met', alice.fingerprint);
    await bob.asks('accept', alice.fingerprint);
    await alice.asks('met', bob.fingerprint);
  }
}

/** A line in the file of names, which only this namespace of mounts sees. */
async function nameGateway(folder: string): Promise<void> {
  const hosts = join(folder, 'hosts');
  await writeFile(hosts, `127.0.0.1 localhost\n${SERVER_ADDRESS} ${GATEWAY_NAME}\n`);
  execFileSync('mount', ['--bind', hosts, '/etc/hosts']);
}

async function aGatewayFolder(roles: readonly BundleRole[]): Promise<GatewayFolder> {
  const key = POLICY_KEY.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  const folder = await GatewayFolder.make((settings): GatewaySettings => {
    const { listeners, policy } = settings;
    return {
      ...settings,
      hosts: [GATEWAY_NAME],
      policy: { ...policy, publicKeys: [key.toString('base64url')] },
      listeners: { ...listeners, public: { ...listeners.public, addresses: [SERVER_ADDRESS] } },
    };
  });
  await folder.writeLeaf('tls', folder.authority.leaf('spiffe://public', GATEWAY_NAME));
  await folder.mount('policy', { 'bundle.json': bundleOf(roles) });
  return folder;
}

async function aRelay(
  gatewayFolder: GatewayFolder,
  gateway: GatewayProcess,
): Promise<RelayProcess> {
  const folder = await RelayFolder.make();
  await folder.writeLeaf(gatewayFolder.authority.leaf(POOL_IDENTITY));
  const at = <Listener extends object>(listener: Listener) => ({
    ...listener,
    addresses: [SERVER_ADDRESS],
  });
  await folder.writeSettings((settings) => {
    const { listeners } = settings;
    const { relay, fallback } = listeners;
    return {
      ...settings,
      listeners: { ...listeners, relay: at(relay), fallback: at(fallback) },
    };
  });
  await folder.writeDirectory([await directoryOf(gatewayFolder, gateway)]);
  const relay = await RelayProcess.run(folder, { pod: 'eu-relay-0' });
  const pins = [await pinIn(join(folder.path, 'tls/tls.crt'))];
  await gatewayFolder.writeRelays([
    {
      ...{ id: RELAY_ID, region: 'europe', address: SERVER_ADDRESS, port: relay.port },
      fallback: { port: relay.fallbackPort, pins },
    },
  ]);
  await until('the relay is registered', () =>
    relay.stdout.includes('"action":"registration.open","outcome":"success"'),
  );
  return relay;
}

async function directoryOf(folder: GatewayFolder, gateway: GatewayProcess) {
  // Written by the folder itself.
  const keys = JSON.parse(await readFile(join(folder.path, 'lease-keys/keys.json'), 'utf8')) as {
    readonly kid: string;
    readonly public: string;
    readonly notBefore: string;
    readonly notAfter: string;
  }[];
  const leaseKeys = keys.map(({ kid, public: publicKey, notBefore, notAfter }) => ({
    ...{ kid, publicKey, notBefore, notAfter },
  }));
  const caCertificates = [folder.authority.certificate];
  return directoryGateway('edge/main', [], {
    ...{ port: gateway.internalPort, caCertificates, leaseKeys },
  });
}

const pinIn = async (path: string): Promise<string> =>
  pinOfCertificate(new X509Certificate(await readFile(path, 'utf8')));
