/** More different names than this are nobody's field names any more: the pool starts anew. */
const MAX_NAMES = 1_000;

/** An entry of a list in a status: the values of one name. */
type ListEntry = Readonly<Record<string, unknown>>;

/**
 * One copy for entries of a status that read the same in resource after resource (conditions, values in use). Only the
 * entry that was seen last under each name is compared: a table of all of them would take what it saves.
 */
export class EntryPool {
  readonly #last = new Map<string, ListEntry>();
  readonly #intern: (text: string) => string;

  constructor(intern: (text: string) => string) {
    this.#intern = intern;
  }

  /** A list equal to `list`; entries are those seen before where they are equal, else they have pooled strings. */
  share(list: unknown): unknown {
    return Array.isArray(list) ? list.map((entry) => this.#entry(entry)) : list;
  }

  #entry(entry: unknown): unknown {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return entry;
    const found = entry as ListEntry;
    const name = found['type'] ?? found['field'];
    if (typeof name !== 'string') return entry;
    const last = this.#last.get(name);
    if (last !== undefined && areEqual(last, found)) return last;
    const kept = this.#interned(found);
    if (this.#last.size >= MAX_NAMES) this.#last.clear();
    this.#last.set(this.#intern(name), kept);
    return kept;
  }

  #interned(entry: ListEntry): ListEntry {
    return Object.fromEntries(
      Object.entries(entry).map(([field, value]) => [
        field,
        typeof value === 'string' ? this.#intern(value) : value,
      ]),
    );
  }
}

/** Structures inside count as different: they are rare, and looking into them is not worth it. */
function areEqual(a: ListEntry, b: ListEntry): boolean {
  const fields = Object.keys(a);
  return fields.length === Object.keys(b).length && fields.every((field) => a[field] === b[field]);
}
