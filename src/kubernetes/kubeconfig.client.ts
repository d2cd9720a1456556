import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { load, YAMLException } from 'js-yaml';
import { ActionableError, messageOf } from '../runtime/errors.js';
import type { ClientConfig } from './client-types.js';
import { chosenBy, needsPlugin, type Kubeconfig, type KubeconfigUser } from './kubeconfig.js';

/** Where kubelet mounts what a pod needs to reach its API server (Kubernetes, "Accessing the API from a Pod"). */
const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The variables that say where the API server is; kubelet sets the last two in every pod. */
export interface ClusterEnvironment {
  readonly KUBECONFIG?: string | undefined;
  readonly KUBERNETES_SERVICE_HOST?: string | undefined;
  readonly KUBERNETES_SERVICE_PORT?: string | undefined;
}

/**
 * How to reach the API server: by the kubeconfig file that `KUBECONFIG` names, else as the pod that this process runs
 * in, by address as client-go does, so that it needs no DNS.
 * @throws ActionableError ERR_CREDENTIALS when neither works.
 */
export async function clientConfigFrom(environment: ClusterEnvironment): Promise<ClientConfig> {
  const { KUBECONFIG: path } = environment;
  return path === undefined || path === '' ? podConfig(environment) : fileConfig(path);
}

async function podConfig(environment: ClusterEnvironment): Promise<ClientConfig> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  const files = { caFile: `${POD_FOLDER}/ca.crt`, tokenFile: `${POD_FOLDER}/token` };
  try {
    const namespace = (await readFile(`${POD_FOLDER}/namespace`, 'utf8')).trim();
    await readFile(files.tokenFile);
    if (host === '') throw new Error('KUBERNETES_SERVICE_HOST is not set');
    return {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      ...files,
      namespace,
    };
  } catch (cause) {
    throw unusable('KUBECONFIG is not set, and this is no pod with a service account', cause);
  }
}

async function fileConfig(path: string): Promise<ClientConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw unusable(`The kubeconfig ${path} cannot be read`, cause);
  }
  const choice = chosenBy(parsed(text, path) ?? {});
  if (typeof choice === 'string')
    throw unusable(`The kubeconfig ${path} cannot be used: ${choice}`);
  const { cluster, user, namespace } = choice;
  const at = fileReader(path);
  const ca = await at(cluster['certificate-authority-data'], cluster['certificate-authority']);
  return {
    server: cluster.server,
    ...(ca !== undefined && { ca }),
    ...(cluster['tls-server-name'] !== undefined && { tlsServerName: cluster['tls-server-name'] }),
    ...(namespace !== undefined && { namespace }),
    ...(needsPlugin(user)
      ? { tokenProvider: pluginToken(path) }
      : await userConfig(user, path, at)),
  };
}

/** Not a word of the file's content goes into the error: it holds credentials. */
function parsed(text: string, path: string): Kubeconfig | undefined {
  try {
    const config = load(text);
    if (config === undefined || config === null || typeof config === 'object') {
      return config ?? undefined;
    }
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const place = mark ? ` at line ${mark.line + 1}, column ${mark.column + 1}` : '';
    throw malformed(path, `is not YAML${place}`);
  }
  throw malformed(path, 'holds a single text instead of clusters, users and contexts');
}

function malformed(path: string, problem: string): ActionableError {
  const hint =
    'Correct that file, or write it anew, for example with kubectl config view --raw --minify.';
  return new ActionableError('ERR_CREDENTIALS', `The kubeconfig ${path} ${problem}.`, hint);
}

type ReadPem = (data: string | undefined, file: string | undefined) => Promise<string | undefined>;

/** Text that stands in the file as base64, or in a file that is named relative to it. */
function fileReader(path: string): ReadPem {
  return async (data, file) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    if (file === undefined) return undefined;
    try {
      return await readFile(resolve(dirname(path), file), 'utf8');
    } catch (cause) {
      throw unusable(`The file ${file} that the kubeconfig names cannot be read`, cause);
    }
  };
}

async function userConfig(
  user: KubeconfigUser,
  path: string,
  at: ReadPem,
): Promise<Partial<ClientConfig>> {
  const cert = await at(user['client-certificate-data'], user['client-certificate']);
  const key = await at(user['client-key-data'], user['client-key']);
  return {
    ...(cert !== undefined && key !== undefined && { clientCert: { cert, key } }),
    ...(user.token !== undefined && { token: user.token }),
    ...(user.tokenFile !== undefined && { tokenFile: resolve(dirname(path), user.tokenFile) }),
  };
}

/**
 * Tokens from an exec plug-in or auth provider. Only then the official client is loaded: it takes 85 MB of memory,
 * and a pod never needs it.
 */
function pluginToken(path: string): () => Promise<string> {
  return async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromFile(path);
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const header = new Headers(options.headers as Record<string, string>).get('authorization');
    if (header?.startsWith('Bearer ')) return header.slice('Bearer '.length);
    throw unusable(`The plug-in of the kubeconfig ${path} gave no token`);
  };
}

function unusable(problem: string, cause?: unknown): ActionableError {
  const detail = cause === undefined ? '' : `: ${messageOf(cause)}`;
  const hint =
    'Set KUBECONFIG to a kubeconfig file, or mount a service account token into the pod.';
  return new ActionableError('ERR_CREDENTIALS', `${problem}${detail}.`, hint, { cause });
}
