/* Finds pod specs in rendered objects, and walks JSON without trusting its shape: a judge must not fall over what it judges. */

export type Json = Readonly<Record<string, unknown>>;

/** A pod as judges see it: labels and spec, wherever they were found. */
export interface JudgedPod {
  /** `Deployment ns/name` */
  readonly where: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Json;
}

/** What is wrong, where, and by which rule. */
export interface Violation {
  readonly rule: string;
  readonly where: string;
  readonly problem: string;
}

export function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

export function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(record) : [];
}

export function strings(value: unknown): Readonly<Record<string, string>> {
  return record(value) as Readonly<Record<string, string>>;
}

/** `value` where it is a text, else ''. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value at `path`, undefined where something on the way is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((here, step) => record(here)[step], value);
}

/** Name and kind of an object for messages. */
export function whereOf(object: unknown): string {
  const { kind } = record(object);
  const name = at(object, 'metadata', 'name');
  const namespace = at(object, 'metadata', 'namespace');
  return `${text(kind)} ${text(namespace)}/${text(name)}`;
}

const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** All pods that `objects` would make. */
export function podsIn(objects: readonly unknown[]): readonly JudgedPod[] {
  return objects.flatMap((object) => {
    const path = TEMPLATES[String(record(object)['kind'])];
    if (path === undefined) return [];
    const template = at(object, ...path) ?? object;
    return [
      {
        where: whereOf(object),
        namespace: text(at(object, 'metadata', 'namespace')),
        labels: strings(at(template, 'metadata', 'labels')),
        annotations: strings(at(template, 'metadata', 'annotations')),
        spec: record(at(template, 'spec')),
      },
    ];
  });
}

/** Every container of a pod, however it is run. */
export function containersOf(spec: Json): readonly Json[] {
  return ['containers', 'initContainers', 'ephemeralContainers'].flatMap((field) =>
    list(spec[field]),
  );
}
