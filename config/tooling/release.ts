/*
 * `npm run release`: records the released contract below test/releases/<version>, against which later versions are
 * tested (test/releases.spec.ts). `commit` is the hash of the commit that is recorded, the one before this change.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const folder = join('test/releases', version);
const dirty = execFileSync(
  'git',
  ['status', '--porcelain', '--', 'crds', 'config/samples', 'test/golden'],
  { encoding: 'utf8' },
);
if (dirty !== '') {
  console.error(`Commit these first, so that ${folder}/commit names what is recorded:\n${dirty}`);
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
// `storage` stays: its databases are written by test/storage/release-database.ts. Golden files of requests and records
// (`access`) are no objects of a cluster.
const isObject = (path: string) => !/^test\/golden\/access(\/|$)/.test(path);
for (const [from, to] of [
  ['crds', 'crds'],
  ['config/samples', 'samples'],
  ['test/golden', 'golden'],
] as const) {
  rmSync(join(folder, to), { recursive: true, force: true });
  cpSync(from, join(folder, to), { recursive: true, filter: isObject });
}
writeFileSync(
  join(folder, 'commit'),
  execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }),
);
console.log(`${folder} records ${version}.`);
