/*
 * Advisories as OSV files have them (ossf.github.io/osv-schema, 1.6): which of the packages that we have they are about.
 */
import { compareDebian, compareSemver, type Compare } from './versions.js';

/** A package that is looked for. */
export interface Subject {
  /** As OSV writes it: `npm`, `Debian:12`, `Bitnami`. */
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  /** What it is to us: `inside the image`, `for development`. */
  readonly role: string;
}

/** An advisory that is about a package that we have. */
export interface Hit {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly severity: string;
  readonly subject: Subject;
  /** The version that mends it, if the advisory names one. */
  readonly fixed?: string | undefined;
}

interface OsvEvent {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly last_affected?: string;
}

interface OsvAffected {
  readonly package?: { readonly ecosystem?: string; readonly name?: string };
  readonly ranges?: readonly { readonly type?: string; readonly events?: readonly OsvEvent[] }[];
  readonly versions?: readonly string[];
}

interface OsvAdvisory {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly summary?: string;
  readonly withdrawn?: string;
  readonly affected?: readonly OsvAffected[];
  readonly database_specific?: { readonly severity?: string };
}

/** The hits of one OSV file. @throws SyntaxError or TypeError for text that is none */
export function hitsOf(text: string, subjects: readonly Subject[]): Hit[] {
  const advisory = JSON.parse(text) as OsvAdvisory;
  if (typeof advisory.id !== 'string') throw new TypeError('This is no OSV file: it has no id.');
  if (advisory.withdrawn !== undefined) return [];
  return (advisory.affected ?? []).flatMap((affected) =>
    subjects
      .filter((subject) => isAbout(affected, subject) && isAffected(affected, subject))
      .map((subject) => hit(advisory, affected, subject)),
  );
}

function hit(advisory: OsvAdvisory, affected: OsvAffected, subject: Subject): Hit {
  const events = (affected.ranges ?? []).flatMap(({ events: list = [] }) => list);
  const compare = comparisonFor(subject);
  const fixes = events.flatMap(({ fixed }) => fixed ?? []);
  return {
    id: advisory.id,
    aliases: advisory.aliases ?? [],
    summary: advisory.summary ?? '',
    severity: advisory.database_specific?.severity ?? 'unknown',
    subject,
    fixed: fixes.sort(compare).find((version) => compare(version, subject.version) > 0),
  };
}

/** `Debian` alone stands for all its releases. */
function isAbout({ package: about }: OsvAffected, { ecosystem, name }: Subject): boolean {
  const named = about?.ecosystem ?? '';
  return about?.name === name && (named === ecosystem || ecosystem.startsWith(`${named}:`));
}

function isAffected({ versions = [], ranges = [] }: OsvAffected, subject: Subject): boolean {
  if (versions.includes(subject.version)) return true;
  const compare = comparisonFor(subject);
  return ranges
    .filter(({ type }) => type !== 'GIT')
    .some(({ events = [] }) => isInRange(events, subject.version, compare));
}

/** As the OSV schema evaluates a range: events in the order of their versions, each turns it on or off. */
function isInRange(events: readonly OsvEvent[], version: string, compare: Compare): boolean {
  const sorted = [...events].sort((a, b) => compareEvents(a, b, compare));
  let inside = false;
  for (const { introduced, fixed, last_affected: last } of sorted) {
    if (introduced !== undefined && (introduced === '0' || compare(version, introduced) >= 0))
      inside = true;
    if (fixed !== undefined && compare(version, fixed) >= 0) inside = false;
    if (last !== undefined && compare(version, last) > 0) inside = false;
  }
  return inside;
}

function compareEvents(a: OsvEvent, b: OsvEvent, compare: Compare): number {
  const [left, right] = [a, b].map(
    (event) => event.introduced ?? event.fixed ?? event.last_affected,
  );
  if (left === '0' || right === '0') return left === right ? 0 : left === '0' ? -1 : 1;
  return compare(left ?? '', right ?? '');
}

const comparisonFor = ({ ecosystem }: Subject): Compare =>
  ecosystem.startsWith('Debian') ? compareDebian : compareSemver;
