import { describe, expect, it } from '@jest/globals';
import { specProblem } from '../../../src/operator/signaling-gateway/validate.js';
import type { SignalingGateway } from '../../../src/kinds/signaling-gateway.gen.js';
import { CASES, resourceWith, type Case } from '../../apiserver/crds/rules.js';
import { aSignalingGateway } from '../../builders.js';

const IMAGE = {
  repository: 'registry.example.com/sallyport',
  tag: '0.1.0',
  digest: `sha256:${'1'.repeat(64)}`,
  pullPolicy: 'IfNotPresent',
} as const;

/** What the operator says to `value`, written past a CRD that has no such rule yet. */
function said(one: Case, value: unknown): string | undefined {
  const { spec } = resourceWith(one, value) as unknown as SignalingGateway;
  return specProblem(aSignalingGateway(spec), IMAGE)?.message;
}

const samples = (says: string): readonly Case[] => CASES.filter(({ sample }) => sample.says === says);
const refused = ({ sample }: Case): readonly unknown[] => [sample.refused, ...(sample.alsoRefused ?? [])];

describe('an installation whose CRD is older than its operator', () => {
  it.each([
    [
      'T51: the operator itself refuses a host that is the name of a Service',
      samples("the cluster's DNS may resolve this name to a Service"),
      'write the public DNS name that clients dial',
    ],
    [
      'T51: the operator itself refuses annotations that configure the ingress controller or borrow a Secret',
      samples('this annotation configures the controller itself'),
      'write annotations that set a single value',
    ],
    [
      'T51: the operator itself refuses annotations by which another program issues or borrows a certificate',
      samples('this annotation has another program issue or use a certificate').filter(({ kind }) => kind === 'SignalingGateway'),
      'the pods end TLS themselves',
    ],
    [
      'T51: the operator itself refuses egress to networks that are too wide',
      samples('egress to so wide a network would undo the default deny').filter(({ kind }) => kind === 'SignalingGateway'),
      'at least /8 for IPv4 and /32 for IPv6',
    ],
  ])('%s', (_, cases, instead) => {
    const values = cases.flatMap((one) => refused(one).map((value) => ({ value, message: said(one, value) ?? 'taken' })));
    expect(values.length).toBeGreaterThan(5);
    expect(values.filter(({ message }) => !message.includes(instead))).toEqual([]);
    expect(cases.map((one) => said(one, one.sample.accepted) ?? 'taken')).toEqual(cases.map(() => 'taken'));
  });
});
