/*
 * Every request of an endpoint and its answer. A request that is not here does not exist. What it takes to be allowed
 * one is data of the gateway (src/gateway/access/routes.ts).
 */
import type { Static, TSchema } from 'typebox';
import { ADMIN_REQUESTS } from './admin-requests.js';
import { OWN_REQUESTS } from './own-requests.js';
import { PEER_REQUESTS } from './peer-requests.js';

/** The schemas of one request. */
export interface RequestSchemas {
  readonly request: TSchema;
  readonly answer: TSchema;
}

/** All requests by name. */
export const REQUESTS = {
  ...PEER_REQUESTS,
  ...OWN_REQUESTS,
  ...ADMIN_REQUESTS,
} as const satisfies Record<string, RequestSchemas>;

/** Name of a request. */
export type RequestName = keyof typeof REQUESTS;
/** Body of the request `Name`. */
export type RequestBody<Name extends RequestName> = Static<(typeof REQUESTS)[Name]['request']>;
/** Body of the answer to the request `Name`. */
export type AnswerBody<Name extends RequestName> = Static<(typeof REQUESTS)[Name]['answer']>;

/** The request names as a list, in the order of the tables. */
export const REQUEST_NAMES = Object.keys(REQUESTS) as readonly RequestName[];
