/*
 * `doctor`: looks at gateways from outside, and at the network between here and the relays. It logs in only if told to.
 */
import { gatewayPlaces, placeName, type GatewayPlace } from '../../client/gateway/gateway-place.js';
import { ActionableError, EXIT_CODE } from '../../runtime/errors.js';
import { systemClock } from '../../runtime/system.clock.js';
import type { DoctorCommand } from '../commands.js';
import { withEndpoint } from '../endpoint/endpoint.session.js';
import { gatewayEntry, listedGateway, type ListedGateway } from '../endpoint/gateway-list.js';
import { Home } from '../endpoint/home.files.js';
import type { Report } from '../terminal/report.js';
import { probeClock } from './clock.probe.js';
import { finding, findingLines, isFailed, type Finding } from './finding.js';
import { observe } from './tls.probe.js';
import { judgePosture } from './tls-posture.js';
import { probeRelays, type RelayPort } from './udp.probe.js';

/** Carries it out; gives the exit code: 1 when something failed. */
export async function runDoctor(command: DoctorCommand, report: Report): Promise<number> {
  const gateways = [];
  for (const gateway of await listed(command)) {
    const findings = await examine(gateway);
    gateways.push({ gateway: placeName(gateway), findings });
    report.note(placeName(gateway));
    for (const line of findingLines(findings)) report.note(line);
  }
  const network = await examineNetwork(command, report);
  report.note('network');
  for (const line of findingLines(network)) report.note(line);
  const failed = isFailed([...gateways.flatMap(({ findings }) => findings), ...network]);
  const verdict = failed ? 'Something is wrong: see FAILED.' : 'Nothing is wrong.';
  report.result({ ok: !failed, gateways, network }, ['', verdict]);
  return failed ? EXIT_CODE.failed : EXIT_CODE.ok;
}

async function listed({
  url,
  pins,
  address,
  home,
}: DoctorCommand): Promise<readonly ListedGateway[]> {
  if (url === undefined) return new Home(home).requireGateways();
  if (pins.length > 0) return [listedGateway(url, pins, { address })];
  throw new ActionableError(
    'ERR_ARGUMENT',
    'Without a pin nobody can say whose gateway it is.',
    'Write --pin sha256/BASE64, as its administrator tells it.',
  );
}

async function examine(gateway: ListedGateway): Promise<readonly Finding[]> {
  const [place] = gatewayPlaces([gatewayEntry(gateway)]);
  if (place === undefined) throw new RangeError('one gateway makes one place');
  const observed = await observe(gateway);
  const posture = judgePosture(observed, place, systemClock.now().getTime());
  return [...posture, await clockOf(place, posture)];
}

/** Who is not the gateway is not talked to. */
async function clockOf(place: GatewayPlace, posture: readonly Finding[]): Promise<Finding> {
  const isPinned = posture.some(({ check }) => check === 'pins');
  return isPinned ? probeClock(place) : finding('clock', 'unknown', 'not asked: see above');
}

async function examineNetwork(command: DoctorCommand, report: Report): Promise<readonly Finding[]> {
  const named = command.relays.map(relayPort);
  const relays = command.login ? [...named, ...(await chosenRelays(command, report))] : named;
  if (relays.length > 0) return probeRelays(relays);
  const hint = 'Name relays with --relay HOST:PORT, or let the gateway name them with --login.';
  return [
    finding('nat', 'unknown', 'no relay to ask', hint),
    finding('mtu', 'unknown', 'no relay to ask'),
  ];
}

function chosenRelays(command: DoctorCommand, report: Report): Promise<readonly RelayPort[]> {
  return withEndpoint(command, report, async ({ client }) => {
    const first = await client.request('relay.choose', { avoid: [] });
    const second = await client
      .request('relay.choose', { avoid: [first.rid] })
      // There may be one only.
      .catch(() => undefined);
    return [first, ...(second === undefined || second.rid === first.rid ? [] : [second])].map(
      ({ address, port }) => ({ host: address, port }),
    );
  });
}

function relayPort(text: string): RelayPort {
  const [, bracketed, bare, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const [host, port] = [bracketed ?? bare, Number(digits)];
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new ActionableError(
    'ERR_ARGUMENT',
    'A relay is written HOST:PORT.',
    'As in --relay 192.0.2.7:3478.',
  );
}
