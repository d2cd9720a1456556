/*
 * What the CRD's schema and CEL rules also refuse, checked again. Limits that contradict each other never reach a
 * deletion: src/policy suspends it; here the policy is told what to change.
 */
import type { RetentionPolicy } from '../../kinds/retention-policy.gen.js';
import { RETENTION_CLASSES } from '../../policy/retention.js';
import { firstProblem, SELECTION_RULES } from '../pods/gateway-selection.js';
import type { SpecRule } from '../pods/text-rules.js';

type Rule = SpecRule<RetentionPolicy>;

/** The first thing that is wrong with the spec, as a sentence that says what to write; undefined when all is well. */
export function policyProblem(policy: RetentionPolicy): string | undefined {
  return firstProblem(RULES, policy);
}

const RULES: readonly Rule[] = [
  ...SELECTION_RULES,
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
