/*
 * Which of two versions comes first: of npm packages (semver.org 2.0.0, 11) and of Debian packages (Debian policy, 5.6.12).
 */

/** Negative if `a` comes before `b`, positive if after, 0 if neither. */
export type Compare = (a: string, b: string) => number;

/** By Semantic Versioning; build metadata does not count. Numbers that are missing are 0, as advisories write them. */
export const compareSemver: Compare = (a, b) => {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < 3; at++) {
    const difference = (left.numbers[at] ?? 0) - (right.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return comparePreRelease(left.preRelease, right.preRelease);
};

function partsOf(version: string): {
  readonly numbers: readonly number[];
  readonly preRelease: readonly string[];
} {
  const plain = version.replace(/^v/, '').replace(/\+.*$/, '');
  const dash = plain.indexOf('-');
  const core = dash < 0 ? plain : plain.slice(0, dash);
  const preRelease = dash < 0 ? [] : plain.slice(dash + 1).split('.');
  return { numbers: core.split('.').map(Number), preRelease };
}

/** A version without pre-release comes after all with one. */
function comparePreRelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left, right] = [a[at], b[at]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    const difference = compareIdentifier(left, right);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareIdentifier(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => /^\d+$/.test(text));
  if (left === true && right === true) return Number(a) - Number(b);
  if (left !== right) return left === true ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As dpkg compares: epoch, upstream version, revision. */
export const compareDebian: Compare = (a, b) => {
  const [left, right] = [debianParts(a), debianParts(b)];
  return (
    left.epoch - right.epoch ||
    compareText(left.upstream, right.upstream) ||
    compareText(left.revision, right.revision)
  );
};

function debianParts(version: string) {
  const [, epoch = '0', rest = version] = /^(\d+):(.*)$/.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  return {
    epoch: Number(epoch),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

/** Runs of other signs and runs of digits by turns; `~` comes before the end, letters before all other signs. */
function compareText(a: string, b: string): number {
  const runs = (text: string) => [...text.matchAll(/([^0-9]*)([0-9]*)/g)];
  const [left, right] = [runs(a), runs(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [, signs = '', digits = ''] = left[at] ?? [];
    const [, otherSigns = '', otherDigits = ''] = right[at] ?? [];
    const difference = compareSigns(signs, otherSigns) || Number(digits) - Number(otherDigits);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareSigns(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = weight(a.charCodeAt(at)) - weight(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return 0;
}

const weight = (code: number): number => {
  if (Number.isNaN(code)) return 0;
  const sign = String.fromCharCode(code);
  return sign === '~' ? -1 : /[A-Za-z]/.test(sign) ? code : code + 256;
};
