/** In which namespaces the operator works. */
export type NamespaceScope =
  | { readonly type: 'All' }
  | { readonly type: 'Named'; readonly namespaces: readonly string[] }
  /** Namespaces with these labels, taken up and dropped as labels change; `always`: whatever their labels. */
  | {
      readonly type: 'Labelled';
      readonly labelSelector: string;
      readonly always?: readonly string[];
    };

/** Namespaces that come and go when the set `before` becomes `after`. */
export interface ScopeChange {
  readonly taken: readonly string[];
  readonly dropped: readonly string[];
}

/** The difference of two sets of namespaces, each part sorted. */
export function scopeChange(before: ReadonlySet<string>, after: ReadonlySet<string>): ScopeChange {
  return {
    taken: [...after].filter((namespace) => !before.has(namespace)).sort(),
    dropped: [...before].filter((namespace) => !after.has(namespace)).sort(),
  };
}

/** The namespaces that `scope` names once and for all; `undefined` in place of a name means all of them. */
export function fixedNamespaces(scope: NamespaceScope): readonly (string | undefined)[] {
  switch (scope.type) {
    case 'All':
      return [undefined];
    case 'Named':
      return [...new Set(scope.namespaces)].sort();
    case 'Labelled':
      return [...new Set(scope.always)].sort();
  }
}

/** Whether objects of `namespace` are in the cache. `taken`: the namespaces that are watched now. */
export function isInScope(
  scope: NamespaceScope,
  taken: ReadonlySet<string>,
  namespace: string,
): boolean {
  return scope.type === 'All' || taken.has(namespace);
}
