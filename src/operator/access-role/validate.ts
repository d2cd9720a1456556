/*
 * What the CRD's schema and CEL rules also refuse, checked again. A role that fails here is in no bundle: what it would
 * allow is denied.
 */
import type { AccessRole } from '../../kinds/access-role.gen.js';
import { VERBS_OF } from '../../policy/roles.js';
import { isCidr } from '../pods/cidr.js';
import { firstProblem, SELECTION_RULES } from '../pods/gateway-selection.js';
import type { SpecRule } from '../pods/text-rules.js';

type Rule = SpecRule<AccessRole>;

/** `sp1` and base32 of 20 bytes (wire formats, B: account id). */
const FINGERPRINT = /^sp1[a-z2-7]{32}$/;
/** What passes between people; everything else administers a gateway. */
const FOR_EVERYONE: ReadonlySet<string> = new Set(['Chat', 'Call', 'File', 'Input']);

/** The first thing that is wrong with the spec, as a sentence that says what to write; undefined when all is well. */
export function roleProblem(role: AccessRole): string | undefined {
  return firstProblem(RULES, role);
}

const RULES: readonly Rule[] = [
  ...SELECTION_RULES,
  wildcardRule,
  verbsRule,
  ({ spec }) =>
    (spec.subjects ?? []).every((subject) => FINGERPRINT.test(subject))
      ? undefined
      : 'subjects are fingerprints (sp1 and 32 characters), never names, addresses or phrases.',
  ({ spec }) =>
    spec.permissions.flatMap(({ conditions }) => conditions?.sourceCidrs ?? []).every(isCidr)
      ? undefined
      : 'conditions.sourceCidrs holds what is no network: write it like 203.0.113.0/24.',
  ({ spec: { expiresAt } }) =>
    expiresAt === undefined || !Number.isNaN(Date.parse(expiresAt))
      ? undefined
      : 'expiresAt is no time: write it like 2027-06-30T00:00:00Z.',
  ({ spec: { sessions } }) =>
    (sessions?.idleTimeoutSeconds ?? 0) <= (sessions?.absoluteTimeoutSeconds ?? Infinity)
      ? undefined
      : 'sessions.idleTimeoutSeconds exceeds absoluteTimeoutSeconds: write at most as much.',
  ({ spec: { mfa } }) =>
    !mfa.hardwareKeyRequired || (mfa.required && (mfa.allowed?.includes('WebAuthn') ?? true))
      ? undefined
      : 'mfa.hardwareKeyRequired needs required true and WebAuthn among the allowed factors.',
  ({ spec }) =>
    spec.assignment === 'Listed' || spec.subjects === undefined
      ? undefined
      : 'with assignment Everyone a list of subjects says nothing: remove subjects, or write assignment Listed.',
  ({ spec }) =>
    spec.assignment === 'Listed' ||
    spec.permissions.every(({ resource }) => FOR_EVERYONE.has(resource))
      ? undefined
      : 'administration is never for everyone: write assignment Listed with subjects, or leave only Chat, Call, File and Input.',
  ({ metadata, spec }) =>
    spec.conflictsWith?.includes(metadata.name) === true
      ? 'a role cannot conflict with itself: remove its own name from conflictsWith.'
      : undefined,
];

/** Stands before the rule of verbs, because whoever writes `*` wants to know what to write instead. */
function wildcardRule({ spec }: AccessRole): string | undefined {
  const wild = spec.permissions.find(({ resource, verbs }) =>
    [resource, ...verbs].some((word) => (word as string).includes('*')),
  );
  if (wild === undefined) return undefined;
  const known = (VERBS_OF as Readonly<Record<string, readonly string[]>>)[wild.resource];
  return known === undefined
    ? `a permission names its resource: instead of * write those of ${Object.keys(VERBS_OF).join(', ')} that the role needs.`
    : `a permission names its verbs: instead of * write those of ${known.join(', ')} that the role needs for ${wild.resource}.`;
}

function verbsRule({ spec }: AccessRole): string | undefined {
  const verbsOf = VERBS_OF as Readonly<Record<string, readonly string[]>>;
  const stray = spec.permissions.find(
    ({ resource, verbs }) => !verbs.every((verb) => verbsOf[resource]?.includes(verb)),
  );
  if (stray === undefined) return undefined;
  const known = verbsOf[stray.resource];
  return known === undefined
    ? `there is no resource ${stray.resource.slice(0, 32)}: write one of ${Object.keys(VERBS_OF).join(', ')}.`
    : `${stray.resource} does not have that verb: write some of ${known.join(', ')}.`;
}
