/*
 * What endpoints and administrators are told of relays.
 */
import type { Handler } from '../caller.js';
import { chooseRelay, drawFrom } from './relay-choice.js';
import type { RelayMarket } from './relay-market.js';

/** Relays on one page of a list. */
const PAGE = 100;

/** Handlers of requests about relays. */
export function relayAnswers(market: RelayMarket, random: (bytes: number) => Uint8Array) {
  const choose: Handler<'relay.choose'> = (wish) => {
    const relay = chooseRelay(market.live(), wish, (below) => drawFrom(random, below));
    return (relay && market.placeOf(relay.rid)) ?? { refused: 'no-relay' };
  };
  const find: Handler<'relay.find'> = ({ rid }) => market.placeOf(rid) ?? { refused: 'no-relay' };
  /** The cursor is a place in the sorted list: a relay that comes or goes between two pages may move one entry. */
  const list: Handler<'admin.relay.list'> = ({ after = '0' }) => {
    const from = Number(after);
    if (!Number.isSafeInteger(from) || from < 0) return { refused: 'bad-request' };
    const all = market.list();
    const items = all.slice(from, from + PAGE).map((relay) => ({ ...relay }));
    return from + PAGE < all.length ? { items, next: String(from + PAGE) } : { items };
  };
  return { 'relay.choose': choose, 'relay.find': find, 'admin.relay.list': list };
}
