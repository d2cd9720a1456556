import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApiServer } from '../bed/api-server.js';
import type { AnyObject, Answer } from '../bed/admin.js';
import type { TestApiServer } from '../bed/api-server.js';
import { CASES, RULES, SAMPLES, resourceWith, type Case, type Value } from './rules.js';

const PLURALS: Readonly<Record<string, string>> = {
  SignalingGateway: 'signalinggateways',
  RelayPool: 'relaypools',
  AccessRole: 'accessroles',
  RetentionPolicy: 'retentionpolicies',
};

describe('the samples of rules/', () => {
  const nameOf = ({ kind, at, message }: { kind: string; at: string; message: string }): string =>
    `${kind} ${at}: ${message}`;

  it('cover every CEL rule of crds/', () => {
    const covered = new Set(CASES.map(nameOf));
    expect(RULES.map(nameOf).filter((name) => !covered.has(name))).toEqual([]);
  });

  it('each show at least one rule, and one rule at each of their places', () => {
    const shown = SAMPLES.map((sample) => CASES.filter((one) => one.sample === sample).length);
    expect(shown).toEqual(SAMPLES.map(({ kinds, at }) => kinds.length * at.length));
  });

  it('are about more than 25 rules, all different', () => {
    expect(new Set(RULES.map(({ rule }) => rule)).size).toBeGreaterThan(25);
  });
});

describe('the CEL rules on a real API server', () => {
  let server: TestApiServer;
  beforeAll(async () => {
    server = await startApiServer({ crds: true });
  });
  afterAll(() => server.stop());

  const collection = (kind: string): string =>
    `/apis/sallyport.dev/v1alpha1/namespaces/default/${PLURALS[kind] ?? ''}`;

  /** Writes the value as a new resource or, for a rule about changes, over `before`. Nothing is stored. */
  const write = async (one: Case, value: Value): Promise<Answer> => {
    const resource = resourceWith(one, value);
    const query = '?dryRun=All&fieldValidation=Strict';
    if (!('before' in one.sample)) return server.request('POST', collection(one.kind) + query, resource);
    const path = `${collection(one.kind)}/changed`;
    await server.request('DELETE', path);
    const before = named(resourceWith(one, one.sample.before), { name: 'changed' });
    const stored = (await server.admin.call('POST', collection(one.kind), before)) as AnyObject;
    const { resourceVersion } = stored.metadata;
    return server.request('PUT', path + query, named(resource, { name: 'changed', resourceVersion }));
  };

  const named = (resource: object, metadata: object): object => ({ ...resource, metadata });

  const titled = CASES.map((one): readonly [string, Case] => [
    one.sample.title ?? `${one.kind} ${one.at}: "${one.sample.says} ..."`,
    one,
  ]);

  it.each(titled)('%s', async (_, one) => {
    const { sample, message } = one;
    const accepted = await write(one, sample.accepted);
    expect({ value: sample.accepted, refusals: refusals(accepted) }).toEqual({ value: sample.accepted, refusals: [] });

    for (const value of [sample.refused, ...(sample.alsoRefused ?? [])]) {
      const answer = await write(one, value);
      const others = refusals(answer).filter((text) => !sample.also?.some((begin) => text.startsWith(begin)));
      expect({ value, status: answer.status, refusals: [...new Set(others)] }).toEqual({
        value,
        status: 422,
        refusals: [message],
      });
    }
  });
});

/** The messages of a refusal, those of our rules without the value that the API server puts before them. */
function refusals({ status, body }: Answer): string[] {
  if (status < 400) return [];
  const causes = (body.details?.causes ?? [{ message: body.message }]) as { message: string }[];
  return causes.map(({ message }) => OUR_MESSAGES.find((ours) => message.endsWith(ours)) ?? message);
}

const OUR_MESSAGES = [...new Set(RULES.map(({ message }) => message))];
