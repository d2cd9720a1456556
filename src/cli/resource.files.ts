import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll, YAMLException } from 'js-yaml';
import type { KubernetesObject } from '../kubernetes/object.js';
import { ActionableError, messageOf } from '../runtime/errors.js';
import { plainText, shortJson } from '../runtime/json-line.js';

const RESOURCE_FILE = /\.(ya?ml|json)$/;
/** The namespace of an object that names none, as with kubectl. */
const DEFAULT_NAMESPACE = 'default';

/** An object with the place that it came from, for messages. */
export interface FileResource {
  readonly object: KubernetesObject;
  /** `config/quickstart/gateway.yaml, document 2`. */
  readonly source: string;
}

/**
 * Every object in the files at `paths` (a folder stands for its YAML and JSON files, in order of their names).
 * @throws ActionableError ERR_RESOURCE_FILE when something cannot be read or is no Kubernetes object.
 */
export async function readResourceFiles(paths: readonly string[]): Promise<FileResource[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const objects = (await Promise.all(files.map(objectsIn))).flat();
  if (objects.length > 0) return objects;
  throw new ActionableError(
    'ERR_RESOURCE_FILE',
    `${paths.join(', ')} holds no resource.`,
    'Name a folder with *.yaml files such as config/quickstart.',
  );
}

async function filesAt(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter((name) => RESOURCE_FILE.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function objectsIn(file: string): Promise<FileResource[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
  return parsed(text, file).flatMap((document, index) => {
    if (document === null || document === undefined) return [];
    const source = `${file}, document ${index + 1}`;
    return [{ object: asObject(document, source), source }];
  });
}

function parsed(text: string, file: string): unknown[] {
  try {
    return loadAll(text);
  } catch (cause) {
    throw new ActionableError(
      'ERR_RESOURCE_FILE',
      `${file} is not YAML: ${yamlProblem(cause)}.`,
      'Correct the file at that place; the indentation and a colon in an unquoted text are the usual causes.',
      { cause },
    );
  }
}

function asObject(document: unknown, source: string): KubernetesObject {
  const { apiVersion, kind, metadata } = document as Partial<KubernetesObject>;
  if (!isText(apiVersion) || !isText(kind) || !isText(metadata?.name)) {
    throw new ActionableError(
      'ERR_RESOURCE_FILE',
      `${source} is not a Kubernetes object: ${shortJson(document, 80)}.`,
      'Write apiVersion, kind and metadata.name.',
    );
  }
  const namespace = metadata.namespace ?? DEFAULT_NAMESPACE;
  return { ...(document as KubernetesObject), metadata: { ...metadata, namespace } };
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** What js-yaml says in one line. Its whole message repeats the lines around, which may hold anything. */
function yamlProblem(cause: unknown): string {
  if (!(cause instanceof YAMLException)) return plainText(messageOf(cause), 200);
  const { reason, mark } = cause;
  const place = mark ? `, line ${mark.line + 1}, column ${mark.column + 1}` : '';
  return `${plainText(reason, 200)}${place}`;
}

function unreadable(path: string, cause: unknown): ActionableError {
  return new ActionableError(
    'ERR_RESOURCE_FILE',
    `${path} cannot be read: ${plainText(messageOf(cause), 200)}.`,
    'Name an existing YAML file or folder with -f.',
    { cause },
  );
}
