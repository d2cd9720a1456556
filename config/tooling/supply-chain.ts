/* A part of `npm run check`: licences and install scripts, from the lock file alone; says how many packages there are. */
import { readFileSync } from 'node:fs';
import type { LockEntries } from './image/components.js';
import { licenseFindings, packageCounts, scriptFindings } from './supply/rules.js';

const read = (path: string) => readFileSync(path, 'utf8');
const { packages } = JSON.parse(read('package-lock.json')) as { readonly packages: LockEntries };
const findings = [...licenseFindings(packages), ...scriptFindings(packages, read('.npmrc'))];
for (const finding of findings) console.error(finding);
const { direct, all } = packageCounts(packages);
console.log(`packages of the programs: ${direct} direct, ${all} in all`);
process.exitCode = findings.length > 0 ? 1 : 0;
