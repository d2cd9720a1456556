/*
 * `npm run advisories`: are there advisories about what we are made of? Matches package-lock.json and image.lock, or an SBOM,
 * with a folder of OSV files, which works without a network too, and asks `npm audit`. Ends with 1 if there is one, and
 * says plainly what it could not ask.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LockEntries } from './image/components.js';
import { parseLock } from './image/lock.js';
import { auditFindings } from './supply/audit.js';
import { hitsOf, type Hit, type Subject } from './supply/osv.js';
import { lockSubjects, sbomSubjects } from './supply/subjects.js';

const AUDIT_MS = 60_000;

const { values } = parseArgs({
  options: {
    osv: { type: 'string' },
    sbom: { type: 'string' },
    /** For a site without a network: nobody is asked. */
    offline: { type: 'boolean', default: false },
  },
});

let asked = 0;
let found = 0;

const subjects =
  values.sbom === undefined ? ours() : sbomSubjects(readFileSync(values.sbom, 'utf8'));
say(`${subjects.length} packages from ${values.sbom ?? 'package-lock.json and image.lock'}`);
askFolder(values.osv, subjects);
if (values.sbom === undefined) askAudit();
else say('npm audit: not asked, it reads no SBOM.');
say(verdict());
process.exitCode = found > 0 ? 1 : 0;

function ours(): Subject[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: LockEntries;
  };
  const lock = readFileSync('config/tooling/image/image.lock', 'utf8');
  return lockSubjects(packages, parseLock(lock));
}

function askFolder(folder: string | undefined, about: readonly Subject[]): void {
  if (folder === undefined) {
    say('OSV: not asked. Name a folder of OSV files with --osv FOLDER.');
    return;
  }
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.json')).sort();
  const hits = files.flatMap((name) => fileHits(join(folder, name), about));
  if (files.length > 0) asked++;
  found += hits.length;
  for (const hit of hits) say(hitLine(hit));
  say(`OSV: ${files.length} files of ${folder} read, ${hits.length} hits.`);
}

/** A file that cannot be read is a hit: whatever it says is not known. */
function fileHits(path: string, about: readonly Subject[]): Hit[] {
  try {
    return hitsOf(readFileSync(path, 'utf8'), about);
  } catch (error) {
    found++;
    say(`${path} cannot be read: ${(error as Error).message}`);
    return [];
  }
}

function hitLine({ id, aliases, summary, severity, subject, fixed }: Hit): string {
  const names = [id, ...aliases].join(', ');
  const remedy = fixed === undefined ? 'no version mends it' : `mended in ${fixed}`;
  return `${subject.name} ${subject.version} (${subject.role}): ${names}, ${severity}: ${summary}; ${remedy}`;
}

function askAudit(): void {
  if (values.offline) {
    say('npm audit: not asked (--offline).');
    return;
  }
  const run = spawnSync('npm', ['audit', '--json'], {
    encoding: 'utf8',
    timeout: AUDIT_MS,
    maxBuffer: 2 ** 26,
  });
  const findings = auditFindings(run.stdout);
  if (typeof findings === 'string') {
    say(`npm audit: COULD NOT BE ASKED: ${findings}`);
    return;
  }
  asked++;
  found += findings.length;
  for (const line of findings) say(line);
  say(`npm audit: answered, ${findings.length} hits.`);
}

function verdict(): string {
  if (found > 0) return `${found} advisories are about what we have.`;
  if (asked === 0) return 'NOBODY ANSWERED: whether there are advisories is not known.';
  return 'No advisory of those that were asked is about what we have.';
}

function say(line: string): void {
  console.log(line);
}
