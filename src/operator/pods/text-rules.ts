/* Rules about the texts of a spec that hold for every kind. */
import { hasControlCharacter } from './texts.js';

/** A sentence that says what to write instead, or undefined when the rule is kept. */
export type SpecRule<T> = (resource: T) => string | undefined;

/** Names of at most 40 characters: the longest child adds 15 (`-relay-settings`), a Service's name may have 63. */
const NAME = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** What every kind obeys, before the rules of its own: some of these texts end up where they mean more than a value. */
export const TEXT_RULES: readonly SpecRule<{
  readonly metadata: { readonly name: string };
  readonly spec: object;
}>[] = [
  ({ metadata: { name } }) =>
    NAME.test(name)
      ? undefined
      : 'metadata.name begins the names of everything made for it: write at most 40 lower-case letters, digits and dashes.',
  ({ spec }) =>
    hasControlCharacter(spec)
      ? 'spec holds a line break or another control character: write every value on one line.'
      : undefined,
];
