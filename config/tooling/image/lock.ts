/*
 * image.lock: every file of the image that is machine code or comes from a package of one platform, one a line:
 *   PLATFORM SOURCE PATH-IN-SOURCE PATH-IN-IMAGE SHA-256
 * SOURCE is `debian:NAME@VERSION` or `npm:NAME@VERSION`. The hash decides; the version says what to read about it.
 */
import { createHash } from 'node:crypto';

/** A line of image.lock. */
export interface LockedFile {
  /** As OCI writes it: `linux/amd64`. */
  readonly platform: string;
  readonly registry: 'debian' | 'npm';
  readonly name: string;
  readonly version: string;
  /** Below the root of the package: of a Debian package `/`, of an npm package its folder. */
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
  /** From 1, in the file. */
  readonly line: number;
}

const LINE = /^(linux\/\w+) (debian|npm):(@?[^@ ]+)@(\S+) (\S+) (\S+) ([0-9a-f]{64})$/;

/** The lines of `text`. @throws Error that names the line which is none */
export function parseLock(text: string): LockedFile[] {
  return text.split('\n').flatMap((content, index) => {
    if (content === '' || content.startsWith('#')) return [];
    const match = LINE.exec(content);
    if (match === null) throw new Error(`image.lock line ${index + 1} cannot be read: ${content}`);
    const [, platform, registry, name, version, from, to, sha256] = match as unknown as string[]; // The pattern has these groups.
    return [
      {
        platform: platform!,
        registry: registry as LockedFile['registry'],
        name: name!,
        version: version!,
        from: from!,
        to: to!,
        sha256: sha256!,
        line: index + 1,
      },
    ];
  });
}

/** The lock line of `file`. */
export function lockLine(file: Omit<LockedFile, 'line'>): string {
  const { platform, registry, name, version, from, to, sha256 } = file;
  return `${platform} ${registry}:${name}@${version} ${from} ${to} ${sha256}`;
}

/** SHA-256 in hexadecimal. */
export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** What stops a build: the line, what was found instead and what to do. */
export function lockProblem(file: LockedFile, found: string): Error {
  return new Error(
    `image.lock line ${file.line}: ${lockLine(file)}\n` +
      `${found}\nRead what changed in ${file.name}, then write the new line with: npm run image -- --update-lock`,
  );
}
