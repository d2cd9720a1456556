/*
 * What the CRD's schema and CEL rules also refuse, checked again. Limits that contradict each other never reach a
 * deletion: src/policy suspends it; here the policy is told what to change.
 */
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import { RETENTION_CLASSES } from '../../policy/retention.js';
import { hasControlCharacter } from '../pods/texts.js';

const NAME = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

type Rule = (policy: RetentionPolicy) => string | undefined;

/** The first thing that is wrong with the spec, as a sentence that says what to write; undefined when all is well. */
export function policyProblem(policy: RetentionPolicy): string | undefined {
  for (const rule of RULES) {
    const message = rule(policy);
    if (message !== undefined) return message;
  }
  return undefined;
}

const RULES: readonly Rule[] = [
  ({ metadata: { name } }) =>
    NAME.test(name)
      ? undefined
      : 'metadata.name has at most 40 lower-case letters, digits and dashes.',
  ({ spec }) =>
    hasControlCharacter(spec)
      ? 'spec holds a line break or another control character: write every value on one line.'
      : undefined,
  ({ spec: { gateways } }) =>
    (gateways.names === undefined) === (gateways.selector === undefined)
      ? 'write either gateways.names or gateways.selector, exactly one of them.'
      : undefined,
  ({ spec: { classes } }) => {
    const crossed = RETENTION_CLASSES.find((name) => {
      const { atLeastSeconds = 0, atMostSeconds = Infinity } = classes[name] ?? {};
      return atLeastSeconds > atMostSeconds;
    });
    return (
      crossed && `classes.${crossed}.atLeastSeconds exceeds atMostSeconds: write at most as much.`
    );
  },
  ({ spec: { legalHold } }) =>
    legalHold === undefined || !Number.isNaN(Date.parse(legalHold.until))
      ? undefined
      : 'legalHold.until is no time: write it like 2027-06-30T00:00:00Z.',
];
