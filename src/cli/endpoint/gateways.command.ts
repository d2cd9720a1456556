/*
 * `gateways list`, `add` and `remove`.
 */
import { placeName } from '../../client/gateway/gateway-place.js';
import { ActionableError, EXIT_CODE } from '../../runtime/errors.js';
import type { GatewaysCommand } from '../commands.js';
import type { Report } from '../terminal/report.js';
import { columns } from '../terminal/table.js';
import { listedGateway, type ListedGateway } from './gateway-list.js';
import { Home } from './home.files.js';

/** Any pin that is one: to find a gateway, its address is enough. */
const SOME_PIN = `sha256/${'A'.repeat(43)}=`;

/** Carries it out; gives the exit code. */
export async function runGateways(command: GatewaysCommand, report: Report): Promise<number> {
  const home = new Home(command.home);
  const before = await home.gateways();
  const after = changed(command, before);
  if (after !== before) await home.writeGateways(after);
  report.result(after, lines(after));
  return EXIT_CODE.ok;
}

function changed(
  command: GatewaysCommand,
  before: readonly ListedGateway[],
): readonly ListedGateway[] {
  if (command.name === 'gateways list') return before;
  if (command.name === 'gateways add') {
    const { url, pins, address, viaIngress } = command;
    const added = listedGateway(url, pins, { address, viaIngress });
    return [...before.filter((one) => placeName(one) !== placeName(added)), added];
  }
  const gone = placeName(listedGateway(command.url, [SOME_PIN]));
  const after = before.filter((one) => placeName(one) !== gone);
  if (after.length < before.length) return after;
  throw new ActionableError(
    'ERR_ARGUMENT',
    `${gone} is not in the list.`,
    'See "sallyport gateways list".',
  );
}

const lines = (gateways: readonly ListedGateway[]): readonly string[] =>
  gateways.length === 0
    ? ['None. Add one: sallyport gateways add wss://HOST:PORT --pin sha256/BASE64.']
    : columns(
        ['GATEWAY', 'ADDRESS', 'PINS'],
        gateways.map((gateway) => [
          placeName(gateway),
          gateway.address ?? '-',
          `${gateway.pins.length}${gateway.viaIngress === true ? ', via ingress' : ''}`,
        ]),
      );
