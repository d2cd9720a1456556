/*
 * relays.json: which pools may register, and where each relay is. Addresses come from the operator alone, never from a
 * relay (wire formats, B).
 */
import type { AnswerBody } from '../../messages/requests.js';
import { MAX_RELAY_ID_LENGTH } from '../../protocol/lease/lease.js';
import { ActionableError, messageOf } from '../../runtime/errors.js';
import { readSettings } from '../../runtime/settings.js';
import { RELAY_DIRECTORY, type RelayDirectory } from '../settings.js';

/** Where a relay is, as endpoints are told. */
export type RelayPlace = AnswerBody<'relay.find'>;

/** The newest good relays.json. */
export interface RelayPlaces {
  /** `NAMESPACE/NAME` of the pool whose relays present this URI. */
  poolOf(identity: string): string | undefined;
  /** Undefined: it has no address, or is of no permitted pool. */
  placeOf(rid: string): RelayPlace | undefined;
  /** Ids of all relays with an address, sorted. */
  readonly rids: readonly string[];
}

const RELAY_ID = /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}\/(0|[1-9][0-9]{0,3})$/;

/**
 * The directory in `text`, the content of the file `source`.
 * @throws ActionableError ERR_SETTING or ERR_SETTINGS_FILE that names the entry
 */
export function readRelayPlaces(text: string, source: string): RelayPlaces {
  const { pools, relays } = readSettings(RELAY_DIRECTORY, parsed(text, source), source);
  const identities = new Map(pools.map((pool) => [pool.identity, nameOf(pool)]));
  const byPool = new Map(pools.map((pool) => [nameOf(pool), pool.identity]));
  if (identities.size !== pools.length || byPool.size !== pools.length)
    throw wrong(source, 'names a pool or an identity twice');
  const places = new Map(relays.map((relay) => [relay.id, placeOf(relay, byPool, source)]));
  if (places.size !== relays.length) throw wrong(source, 'names a relay twice');
  return {
    poolOf: (identity) => identities.get(identity),
    placeOf: (rid) => places.get(rid),
    rids: [...places.keys()].sort(),
  };
}

/** The id of a relay (wire formats, B). */
export const relayIdOf = (pool: string, ordinal: number): string => `${pool}/${ordinal}`;

/** `NAMESPACE/NAME` of the pool of a relay. */
export const poolOfRelay = (rid: string): string => rid.slice(0, rid.lastIndexOf('/'));

const nameOf = ({ namespace, name }: RelayDirectory['pools'][number]): string =>
  `${namespace}/${name}`;

function placeOf(
  { id, region, address, port, fallback }: RelayDirectory['relays'][number],
  pools: ReadonlyMap<string, string>,
  source: string,
): RelayPlace {
  const identity = pools.get(poolOfRelay(id));
  if (!RELAY_ID.test(id) || id.length > MAX_RELAY_ID_LENGTH)
    throw wrong(source, `names ${id.slice(0, 80)}, which is no relay id`);
  if (identity === undefined) throw wrong(source, `names relay ${id}, whose pool is not there`);
  const place = { rid: id, region, address, port };
  // Without a pin nobody could check who answers there: such a relay has no fallback.
  if (fallback === undefined || fallback.pins.length === 0) return place;
  return { ...place, fallback: { port: fallback.port, pins: [...fallback.pins], identity } };
}

function parsed(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw wrong(source, `is not JSON (${messageOf(cause)})`);
  }
}

const wrong = (source: string, problem: string): ActionableError =>
  new ActionableError(
    'ERR_SETTINGS_FILE',
    `The file ${source} ${problem}.`,
    'The operator writes it from the relay pools that both sides permit; see the events of the SignalingGateway.',
  );
