/*
 * One registration for each gateway of the directory, and nothing for any other. A gateway whose entry changes is
 * dialled anew, because its authority or its name may have changed; new lease keys alone change no connection.
 */
import type { RelayGateway } from '../settings.js';
import { gatewayName } from './directory.js';
import { RegistrationClient, type RegistrationHost } from './registration.client.js';
import { REGISTRATION_PHASES, type RegistrationPhase } from './registration.js';

/** How often time passes for registrations. */
const TICK_MS = 100;

interface Entry {
  readonly client: RegistrationClient;
  /** Everything that a connection depends on. */
  readonly endpoint: string;
}

/** All registrations of a relay. */
export class Registrations {
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | undefined;

  /** @param hostOf what a registration needs, by gateway */
  constructor(private readonly hostOf: (gateway: RelayGateway) => RegistrationHost) {}

  /** Begins; there is no gateway before `follow`. */
  start(): void {
    this.#timer = setInterval(() => {
      for (const { client } of this.#entries.values()) client.tick();
    }, TICK_MS);
  }

  /** Registers at these gateways from now on, and at no others. */
  follow(gateways: readonly RelayGateway[]): void {
    const wanted = new Map(gateways.map((gateway) => [gatewayName(gateway), gateway]));
    for (const [name, { client, endpoint }] of this.#entries) {
      const gateway = wanted.get(name);
      if (gateway && endpointOf(gateway) === endpoint) continue;
      this.#entries.delete(name);
      void client.stop();
    }
    for (const [name, gateway] of wanted) this.#add(name, gateway);
    this.hurry();
  }

  /** Sends a heartbeat to each gateway at the next tick: keys or draining have changed. */
  hurry(): void {
    for (const { client } of this.#entries.values()) client.registration.hurry();
  }

  /** How many registrations are in each phase. */
  phases(): Readonly<Record<RegistrationPhase, number>> {
    const phases = [...this.#entries.values()].map(({ client }) => client.registration.phase);
    const count = (phase: RegistrationPhase) => phases.filter((each) => each === phase).length;
    return Object.fromEntries(REGISTRATION_PHASES.map((phase) => [phase, count(phase)])) as Record<
      RegistrationPhase,
      number
    >; // fromEntries forgets which keys the list has.
  }

  /** The largest difference between this relay's clock and a gateway's, in ms with its sign; undefined if unknown. */
  skewMs(): number | undefined {
    const known = [...this.#entries.values()].flatMap(
      ({ client }) => client.registration.skewMs ?? [],
    );
    return known.sort((a, b) => Math.abs(b) - Math.abs(a))[0];
  }

  /** Sends what is due, says goodbye to all, and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const clients = [...this.#entries.values()].map(({ client }) => client);
    this.#entries.clear();
    await Promise.all(clients.map((client) => client.stop()));
  }

  #add(name: string, gateway: RelayGateway): void {
    if (this.#entries.has(name) || gateway.caCertificates.length === 0) return;
    const client = new RegistrationClient(gateway, this.hostOf(gateway));
    this.#entries.set(name, { client, endpoint: endpointOf(gateway) });
  }
}

const endpointOf = ({ identity, host, port, caCertificates }: RelayGateway): string =>
  JSON.stringify([identity, host, port, caCertificates]);
