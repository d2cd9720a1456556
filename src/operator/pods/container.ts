import type { ImageReference } from './image.js';
import type {
  Container,
  EnvironmentVariable,
  HttpProbe,
  Mount,
  NamedPort,
  Probes,
  ResourceRequirements,
} from './shapes.js';

/** One program of a pod, by what differs between programs; the hardening is added here and is not a choice. */
export interface ProgramContainer {
  readonly name: string;
  readonly image: ImageReference;
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly ports?: readonly NamedPort[];
  readonly mounts?: readonly Mount[];
  readonly resources: ResourceRequirements;
  /** Required for containers that stay; init containers have none. */
  readonly probes?: Probes;
  /** How long traffic is given to go elsewhere before SIGTERM (`sleep`, no shell needed). */
  readonly preStopSleepSeconds?: number;
}

/** User and group of every process (hardening.md 2.1: above 10000 and in no image's user list by chance). */
export const RUN_AS = 65_532;

/** Answers within a second or is not answering; half of the CPU-starved probes of a busy node still pass. */
const PROBE = { periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 } as const;
/** 60 tries, 2 s apart: a first start may wait for a database that is itself starting. */
const STARTUP_PROBE = { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 60 } as const;

/**
 * A container with every row of hardening.md 2.1, 2.3 and 2.4.
 * @throws TypeError for what a pod cannot hold: control characters in texts, a probe of an undeclared port,
 *   equal paths for readiness and liveness. Users cannot cause any of these.
 */
export function hardenedContainer(program: ProgramContainer): Container {
  refuseControlCharacters(program);
  return {
    name: program.name,
    image: program.image.image,
    imagePullPolicy: program.image.pullPolicy,
    command: program.command,
    ...listField('args', program.args),
    ...listField('env', program.env?.map(environmentVariable)),
    ...listField('ports', program.ports?.map(containerPort)),
    ...listField('volumeMounts', program.mounts?.map(volumeMount)),
    ...probeFields(program),
    ...lifecycle(program.preStopSleepSeconds),
    resources: program.resources,
    terminationMessagePath: '/dev/termination-log',
    // What a dying program wrote last stays readable without log access.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: RUN_AS,
      runAsGroup: RUN_AS,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

function probeFields({ name, ports, probes }: ProgramContainer): Readonly<Record<string, unknown>> {
  if (probes === undefined) return {};
  const { readiness, liveness, startup } = probes;
  if (readiness.path === liveness.path) {
    throw new TypeError(`${name}: readiness and liveness probe the same path ${liveness.path}.`);
  }
  for (const { port } of [readiness, liveness, startup]) {
    if (!(ports ?? []).some((declared) => declared.name === port && declared.protocol === 'TCP')) {
      throw new TypeError(
        `${name}: a probe names the port ${port}, which is not a declared TCP port.`,
      );
    }
  }
  return {
    readinessProbe: httpProbe(readiness, PROBE),
    livenessProbe: httpProbe(liveness, PROBE),
    startupProbe: httpProbe(startup, STARTUP_PROBE),
  };
}

function httpProbe(
  probe: HttpProbe,
  defaults: {
    readonly periodSeconds: number;
    readonly timeoutSeconds: number;
    readonly failureThreshold: number;
  },
): Readonly<Record<string, unknown>> {
  return {
    // No `host`: since Pod Security v1.34 it is a violation, the kubelet would probe what it says.
    httpGet: { path: probe.path, port: probe.port, scheme: 'HTTP' },
    periodSeconds: probe.periodSeconds ?? defaults.periodSeconds,
    timeoutSeconds: probe.timeoutSeconds ?? defaults.timeoutSeconds,
    failureThreshold: probe.failureThreshold ?? defaults.failureThreshold,
    successThreshold: 1,
  };
}

function lifecycle(seconds: number | undefined): Readonly<Record<string, unknown>> {
  if (seconds === undefined || seconds === 0) return {};
  return { lifecycle: { preStop: { sleep: { seconds } } } };
}

function environmentVariable(variable: EnvironmentVariable): Readonly<Record<string, unknown>> {
  if ('value' in variable) return { name: variable.name, value: variable.value };
  const fieldRef = { apiVersion: 'v1', fieldPath: variable.field };
  return { name: variable.name, valueFrom: { fieldRef } };
}

function containerPort({ name, port, protocol }: NamedPort): Readonly<Record<string, unknown>> {
  return { name, containerPort: port, protocol };
}

/** `readOnly: false` is the API server's default, which it does not write back. */
function volumeMount({ volume, path, readOnly = true }: Mount): Readonly<Record<string, unknown>> {
  return { name: volume, mountPath: path, ...(readOnly ? { readOnly } : {}) };
}

/** An empty list is not written back by the API server, so it is not sent. */
function listField(
  name: string,
  list: readonly unknown[] | undefined,
): Readonly<Record<string, unknown>> {
  return list === undefined || list.length === 0 ? {} : { [name]: list };
}

/** A line break in an argument or variable has no honest use and is how one value becomes two (T51). */
function refuseControlCharacters({ name, command, args, env }: ProgramContainer): void {
  const values = (env ?? []).flatMap((entry) => ['value' in entry ? entry.value : '', entry.name]);
  for (const text of [...command, ...(args ?? []), ...values]) {
    if (/[\u0000-\u001f\u007f]/.test(text)) {
      throw new TypeError(
        `${name}: an argument or environment variable holds a control character.`,
      );
    }
  }
}
