import { PERMISSIONS, readUsages, refusals, unusedVerbs } from './rbac-usage.js';

// After the suite: every granted verb was used by some test, and no call went beyond what is granted.
const usages = readUsages();
const problems = [
  ...unusedVerbs(usages, PERMISSIONS).map((name) => `granted and never used: ${name}`),
  ...refusals(usages, PERMISSIONS).map((name) => `used and not granted: ${name}`),
];
for (const problem of problems) console.error(problem);
console.log(`RBAC: ${usages.length} distinct calls, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
