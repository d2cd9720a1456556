/*
 * What an image must not hold, and what it must: looked at before it is written, and again by tests.
 */
import { elfNeeds } from './elf.js';
import type { TarFile } from './tar.js';

/** 190 MB, of which Node is 126. */
export const MAX_UNPACKED_BYTES = 190_000_000;

const BAD_PATHS: readonly (readonly [RegExp, string])[] = [
  [/\.map$/, 'is a source map'],
  [/\.(spec|test)\.[cm]?[jt]s$|(^|\/)(tests?|__tests__|spec|fixtures)\//, 'is a test'],
  [/\.([cm]?ts|tsx|cc|hh|[ch]|gyp|tgz|deb)$/, 'is a source or an archive'],
  [
    /\.(pem|key|p12|pfx|jks|kdbx|env)$|(^|\/)(\.env|\.npmrc|\.netrc|\.git.*|id_[a-z0-9]+|kubeconfig)$/,
    'may be a secret',
  ],
  [
    /(^|\/)(sh|bash|dash|ash|zsh|busybox|toybox|npm|npx|corepack|yarn|python3?|perl|apt|dpkg|apk)$/,
    'is a shell or an installer',
  ],
];

/** What must stand in no file. The first is built from two halves: this file is no secret itself. */
const BAD_TEXTS: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp('-----BEGIN ([A-Z]+ )?PRIVATE ' + 'KEY-----\\s+[A-Za-z0-9+/=]{32}'),
    'holds a private key',
  ],
  [/sourceMappingURL=(data:|[\w./-]+\.map)/, 'names a source map'],
  [/\b(npm_[A-Za-z0-9]{36}|gh[pousr]_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16})\b/, 'holds an access token'],
];

/** Each finding as a sentence; none if `files` may become the image for `platform`. `machinePaths` must not show. */
export function imageFindings(
  files: readonly TarFile[],
  platform: string,
  machinePaths: readonly string[],
): string[] {
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return [
    ...(size > MAX_UNPACKED_BYTES
      ? [`The image has ${size} bytes; it may have ${MAX_UNPACKED_BYTES}.`]
      : []),
    ...files.flatMap(pathFindings),
    ...files.flatMap((file) => textFindings(file, machinePaths)),
    ...libraryFindings(files, platform.split('/')[1]!),
  ];
}

function pathFindings({ path }: TarFile): string[] {
  return BAD_PATHS.filter(([pattern]) => pattern.test(path)).map(([, what]) => `${path} ${what}.`);
}

function textFindings({ path, bytes }: TarFile, machinePaths: readonly string[]): string[] {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Machine code of others is judged by its hash in image.lock.
  if (elfNeeds(content) !== undefined) return [];
  const text = content.toString('utf8');
  const paths = machinePaths.filter((place) => text.includes(place));
  return [
    ...BAD_TEXTS.filter(([pattern]) => pattern.test(text)).map(([, what]) => `${path} ${what}.`),
    ...paths.map(() => `${path} holds a path of the machine that builds it.`),
  ];
}

/** Everything that a loader will look for is there, for the right processor. */
function libraryFindings(files: readonly TarFile[], architecture: string): string[] {
  const names = new Set(
    files.filter(({ path }) => path.startsWith('lib')).map(({ path }) => path.split('/').at(-1)),
  );
  const paths = new Set(files.map(({ path }) => `/${path}`));
  return files.flatMap(({ path, bytes }) => {
    const needs = elfNeeds(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    if (needs === undefined) return [];
    const missing = needs.libraries.filter((name) => !names.has(name));
    const { interpreter } = needs;
    return [
      ...(needs.architecture === architecture ? [] : [`${path} is for ${needs.architecture}.`]),
      ...missing.map((name) => `${path} needs ${name}, which is not in the image.`),
      ...(interpreter === undefined || paths.has(interpreter)
        ? []
        : [`${path} needs ${interpreter}, which is not in the image.`]),
    ];
  });
}
