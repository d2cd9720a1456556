import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ActionableError } from '../runtime/errors.js';
import { clientConfigFrom } from './kubeconfig.client.js';
import { chosenBy } from './kubeconfig.js';

const aConfig = (cluster: object, user: object = { token: 't' }) => ({
  'current-context': 'office',
  contexts: [{ name: 'office', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://192.0.2.1:6443', ...cluster } }],
  users: [{ name: 'u', user }],
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-kubeconfig-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function configOf(config: object) {
  const path = join(folder, 'config');
  await writeFile(path, JSON.stringify(config));
  return clientConfigFrom({ KUBECONFIG: path });
}

describe('a kubeconfig', () => {
  it('gives server, CA, token and namespace of its current context', async () => {
    const data = Buffer.from('PEM').toString('base64');
    expect(await configOf(aConfig({ 'certificate-authority-data': data }))).toEqual({
      server: 'https://192.0.2.1:6443',
      ca: 'PEM',
      token: 't',
      namespace: 'team',
    });
  });

  it('names files relative to itself', async () => {
    await writeFile(join(folder, 'cert.pem'), 'CERT');
    await writeFile(join(folder, 'key.pem'), 'KEY');
    const user = { 'client-certificate': 'cert.pem', 'client-key': 'key.pem' };
    expect(await configOf(aConfig({}, user))).toMatchObject({
      clientCert: { cert: 'CERT', key: 'KEY' },
    });
  });

  it('may get its token from a plug-in, run by the official client', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plugin' },
    };
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', `console.log(${JSON.stringify(JSON.stringify(credential))})`],
      interactiveMode: 'Never',
    };
    const config = await configOf(aConfig({}, { exec }));
    expect(await config.tokenProvider?.()).toBe('from-plugin');
  });

  it.each([
    [aConfig({ server: 'http://192.0.2.1' }), 'is not https'],
    [aConfig({ 'insecure-skip-tls-verify': true }), 'skips the verification of TLS'],
    [{ ...aConfig({}), 'current-context': 'home' }, 'current-context "home" does not exist'],
    [{ ...aConfig({}), clusters: [] }, 'has no server'],
  ])('is refused with a reason: %#', async (config, reason) => {
    expect(chosenBy(config)).toContain(reason);
    await expect(configOf(config)).rejects.toMatchObject({ code: 'ERR_CREDENTIALS' });
    await expect(configOf(config)).rejects.toThrow(reason);
  });

  it.each([
    ['token: CANARY\n\tusers: x', 'is not YAML at line 2, column 1'],
    ['{"users": [', 'is not YAML at line 1'],
    ['CANARY', 'holds a single text'],
  ])(
    'that is malformed is told from one that is missing, without its content: %#',
    async (text, problem) => {
      const path = join(folder, 'malformed');
      await writeFile(path, text);
      const error = await clientConfigFrom({ KUBECONFIG: path }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'ERR_CREDENTIALS',
        hint: expect.stringContaining('Correct that file'),
      });
      expect((error as ActionableError).problem).toContain(problem);
      expect(inspect(error, { depth: 9 })).not.toContain('CANARY');
    },
  );

  it('that is missing says so', async () => {
    const missing = clientConfigFrom({ KUBECONFIG: join(folder, 'missing') });
    await expect(missing).rejects.toMatchObject({
      problem: expect.stringContaining('cannot be read'),
      hint: expect.stringContaining('Set KUBECONFIG'),
    });
  });

  it('is needed outside of a pod', async () => {
    await expect(clientConfigFrom({})).rejects.toMatchObject({ code: 'ERR_CREDENTIALS' });
  });
});
