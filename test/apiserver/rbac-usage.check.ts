import { recordedCalls } from './bed/recorded-calls.js';
import { PERMISSIONS, refusals, unusedVerbs } from './rbac-usage.js';

// After the suite (`npx tsx test/apiserver/rbac-usage.check.ts`): every granted verb was used by some test, and no
// call went beyond what is granted.
const calls = await recordedCalls();
const problems = [
  ...unusedVerbs(calls, PERMISSIONS).map((name) => `granted and never used: ${name}`),
  ...refusals(calls, PERMISSIONS).map((name) => `not granted, or refused: ${name}`),
];
for (const problem of problems) console.error(problem);
console.log(`RBAC: ${calls.length} kinds of calls, ${problems.length} problems`);
process.exit(calls.length > 0 && problems.length === 0 ? 0 : 1);
