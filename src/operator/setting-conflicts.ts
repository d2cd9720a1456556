import type { OperatorSettings } from './settings.js';

/** Two settings that are in bounds but cannot hold together. */
export interface SettingConflict {
  readonly problem: string;
  readonly hint: string;
}

type Rule = (settings: OperatorSettings) => SettingConflict | undefined;

/** Every contradiction in `settings`, most fundamental first. */
export function settingConflicts(settings: OperatorSettings): SettingConflict[] {
  return RULES.map((rule) => rule(settings)).filter((conflict) => conflict !== undefined);
}

const RULES: readonly Rule[] = [
  ({ scope }) =>
    scope.watch === 'Named' && scope.namespaces.length === 0
      ? {
          problem: 'scope.watch="Named" but scope.namespaces=[] names none.',
          hint: 'List the namespaces to serve in scope.namespaces, or set scope.watch to "All".',
        }
      : undefined,
  ({ scope }) =>
    scope.watch !== 'Named' && scope.namespaces.length > 0
      ? {
          problem: `scope.namespaces is set but scope.watch="${scope.watch}" does not read it.`,
          hint: 'Set scope.watch to "Named", or remove scope.namespaces.',
        }
      : undefined,
  ({ scope }) =>
    (scope.watch === 'Selected') === (scope.namespaceSelector === '')
      ? {
          problem: `scope.watch="${scope.watch}" and scope.namespaceSelector="${scope.namespaceSelector}" contradict each other.`,
          hint: 'Set scope.watch to "Selected" together with a label selector, or leave both out.',
        }
      : undefined,
  ({ leaderElection: { leaseSeconds, renewSeconds } }) =>
    renewSeconds >= leaseSeconds
      ? {
          problem: `leaderElection.renewSeconds=${renewSeconds} is not below leaderElection.leaseSeconds=${leaseSeconds}.`,
          hint: 'A leader must stop before a standby may start: set renewSeconds to about two thirds of leaseSeconds.',
        }
      : undefined,
  ({ leaderElection: { retrySeconds, renewSeconds } }) =>
    // Attempts are spread by up to a fifth, and one must fit before the deadline (kubernetes/leader-lease.ts).
    retrySeconds * 1.2 >= renewSeconds
      ? {
          problem: `leaderElection.retrySeconds=${retrySeconds} is too near to leaderElection.renewSeconds=${renewSeconds}.`,
          hint: 'A leader needs several attempts to renew: set retrySeconds to about a fifth of renewSeconds.',
        }
      : undefined,
  ({ renders }) => {
    const versions = renders.map(({ version }) => version);
    const ordered = versions.every((version, i) => i === 0 || version < (versions[i - 1] ?? 0));
    return ordered
      ? undefined
      : {
          problem: `renders have the versions ${versions.join(', ')}, which do not fall.`,
          hint: 'List each render version once, newest first.',
        };
  },
];
