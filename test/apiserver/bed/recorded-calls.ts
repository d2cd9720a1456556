import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditEntry } from './audit-log.js';

const FOLDER = fileURLToPath(new URL('../../../test-results/calls', import.meta.url));

/** One kind of call that an operator made during the suite. */
export interface RecordedCall {
  readonly user: string;
  readonly verb: string;
  /** Empty for the core group. */
  readonly apiGroup: string;
  /** With the subresource: `signalinggateways/status`. Empty for a call that is about no resource. */
  readonly resource: string;
  /** Only for a call that is about no resource. */
  readonly path: string;
  readonly namespaced: boolean;
  /** HTTP status; 403 is a call that RBAC refused. */
  readonly code: number;
}

/** Keeps what users named `operator...` did, each kind of call once. */
export async function recordCalls(entries: readonly AuditEntry[]): Promise<void> {
  // A call without valid credentials has no user name.
  const ours = entries.filter(({ user }) =>
    (user.username as string | undefined)?.startsWith('operator'),
  );
  const lines = [...new Set(ours.map((entry) => JSON.stringify(recordOf(entry))))].sort();
  if (lines.length === 0) return;
  await mkdir(FOLDER, { recursive: true });
  const name = createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
  await writeFile(join(FOLDER, `${name}.jsonl`), `${lines.join('\n')}\n`);
}

/** What was recorded since the folder test-results was removed, which `npm test` does first. */
export async function recordedCalls(): Promise<RecordedCall[]> {
  const names = await readdir(FOLDER).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(FOLDER, name), 'utf8')));
  const lines = new Set(texts.flatMap((text) => text.split('\n')).filter((line) => line !== ''));
  return [...lines].map((line) => JSON.parse(line) as RecordedCall);
}

/** One entry of an audit log as it is kept. */
export function recordOf({
  user,
  verb,
  objectRef,
  requestURI,
  responseStatus,
}: AuditEntry): RecordedCall {
  const { apiGroup = '', resource = '', subresource, namespace } = objectRef ?? {};
  return {
    user: user.username,
    verb,
    apiGroup,
    resource: subresource ? `${resource}/${subresource}` : resource,
    path: resource === '' ? (requestURI.split('?')[0] ?? '') : '',
    namespaced: namespace !== undefined,
    code: responseStatus?.code ?? 0,
  };
}
