/* What `npm audit --json` says. */

interface Vulnerability {
  readonly name?: string;
  readonly severity?: string;
  readonly range?: string;
  readonly via?: readonly (string | { readonly title?: string; readonly url?: string })[];
}

/** A line for each package with an advisory of its own, or, as one text, why there is no answer. */
export function auditFindings(output: string): string[] | string {
  let answer: { message?: string; vulnerabilities?: Readonly<Record<string, Vulnerability>> };
  try {
    answer = JSON.parse(output) as typeof answer;
  } catch {
    return 'it gave no answer in time, or none in JSON';
  }
  if (answer.vulnerabilities === undefined)
    return withoutAddress(answer.message ?? 'no reason given');
  return Object.values(answer.vulnerabilities).flatMap(
    ({ name = '', severity = '', range = '', via = [] }) =>
      via.flatMap((cause) =>
        typeof cause === 'string' ? [] : [`${name} ${range}: ${severity}: ${cause.title ?? ''}`],
      ),
  );
}

/** Which registry a machine asks is nobody's business. */
const withoutAddress = (message: string): string =>
  message.replace(/\bhttps?:\/\/\S+/g, 'the registry');
