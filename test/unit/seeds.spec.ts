import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { load } from 'js-yaml';
import ts from 'typescript';
import { isAuditEntry, type AuditEntry } from '../../src/audit/record.js';
import { gatewayPlaces } from '../../src/client/gateway/gateway-place.js';
import { Identity } from '../../src/client/identity/identity.js';
import { refusedFactorKinds } from '../../src/gateway/factor-kinds.js';
import { roleDemands } from '../../src/gateway/role-demands.js';
import { ROUTES } from '../../src/gateway/access/routes.js';
import { GATEWAY_DEFAULTS } from '../../src/policy/defaults.js';
import { SIGNALING_PATH } from '../../src/messages/signaling.js';
import { KeyStore } from '../../src/protocol/key-store.js';
import { nodeBackend } from '../../src/crypto/node.backend.js';
import { NOON_MS } from '../identities.js';
import { METHODS, MONITORING, NETWORK, type ReformsIdentity } from '../seeds/interfaces.js';
import {
  ADMIN_ACCESS,
  auditLogOf,
  FACTORS,
  gatewaysOf,
  identityOf,
  LOCKOUT_ATTEMPTS,
  NEW_DEVICES,
} from '../seeds/meaning.js';
import { seedBundleRoles, seedRoleFile } from '../seeds/roles.js';

const ROLE = seedBundleRoles(new Date(NOON_MS))[0]!;
const root = join(import.meta.dirname, '../..');

/** What the compiler says of `files` under the project's own strict settings; the first may hold `text` instead. */
function complaintsAbout(files: readonly string[], text?: string): readonly string[] {
  const configFile = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(configFile, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(configFile), {
    noEmit: true,
  });
  const host = ts.createCompilerHost(options);
  const getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (path, version, ...more) =>
    path === files[0] && text !== undefined
      ? ts.createSourceFile(path, text, version)
      : getSourceFile(path, version, ...more);
  const program = ts.createProgram([...files], options, host);
  return files.flatMap((file) => {
    const source = program.getSourceFile(file);
    const found = [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ];
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  });
}

const seed = (name: string) => join(root, 'test/seeds', name);

describe('the interfaces of the second seed', () => {
  it('S216: compile under strict settings with a value of each, and ours are assignable from and to them', () => {
    expect(complaintsAbout([seed('interfaces.ts'), seed('meaning.ts')])).toEqual([]);
  });

  it('S216: would not compile beside a record that holds what somebody wrote', () => {
    const text = readFileSync(seed('meaning.ts'), 'utf8').replaceAll('// @ts-expect-error', '//');
    expect(complaintsAbout([seed('meaning.ts')], text)).toHaveLength(3);
  });
});

describe('what the interfaces of the second seed mean here', () => {
  it('S54, S216: is an identity with a public key of 32 bytes, a phrase and a fingerprint, whose private key nobody is given', () => {
    const context = { backend: nodeBackend, keys: new KeyStore() };
    const random = (out: Uint8Array) => {
      out.fill(7);
    };
    const identity = Identity.create(context, 12, { random, nowMs: NOON_MS });
    const privateKey = new Uint8Array(32);
    const shown: ReformsIdentity = { ...identityOf(identity), privateKey };
    expect(shown.publicKey).toHaveLength(32);
    expect(shown.mnemonic.split(' ')).toHaveLength(12);
    expect(shown.fingerprint).toMatch(/^sp1[a-z2-7]{32}$/);
    identity.close();
  });

  it('S216: is a list of gateways, each at the path that the seed names', () => {
    const places = gatewayPlaces(gatewaysOf(NETWORK, [`sha256/${'A'.repeat(43)}=`]));
    expect(places.map(({ host }) => host)).toEqual([
      'your-company.com',
      'partner-org.com',
      'backup-server.com',
    ]);
    const paths = NETWORK.signalingServers.map((server) => new URL(server).pathname);
    expect(new Set(paths)).toEqual(new Set([SIGNALING_PATH]));
  });

  it('S216: is second factors of which all but SMS can be allowed', () => {
    const refused = METHODS.secondary.filter(
      (kind) => refusedFactorKinds([FACTORS[kind]]) !== undefined,
    );
    expect(refused).toEqual(['sms-verification']);
  });

  it('S216: is a hardware key for administrators, step-up for what is sensitive, and approval of devices', () => {
    const mfa = ADMIN_ACCESS[METHODS.policies.adminAccess];
    expect(roleDemands([{ ...ROLE, mfa }])).toMatchObject({ required: true, roamingKey: true });
    expect(roleDemands([ROLE])).toMatchObject({ required: true, roamingKey: false });
    expect(NEW_DEVICES[METHODS.policies.newDeviceRegistration]).toBe('Administrator');
    expect(ROUTES['admin.account.delete'].stepUp).toBe(true);
    expect(ROUTES['admin.factor.reset'].stepUp).toBe(true);
  });

  it('S216: is a record with a pseudonym, whose personal part is apart', () => {
    const entry: unknown = {
      v: 1,
      id: '01a203fc-7239-7597-aafe-5ba91686d42f',
      ts: '2026-09-01T12:00:00.000Z',
      src: { component: 'gateway', instance: 'main-0', boot: '0'.repeat(32), n: 1 },
      type: 'authentication',
      action: 'login.accept',
      outcome: 'success',
      actor: { kind: 'account', pid: 'ab'.repeat(16) },
    };
    expect(isAuditEntry(entry)).toBe(true);
    expect(auditLogOf(entry as AuditEntry)).toEqual({
      timestamp: '2026-09-01T12:00:00.000Z',
      eventType: 'authentication',
      userId: 'ab'.repeat(16),
      action: 'login.accept',
      resource: '',
      outcome: 'success',
      metadata: { ipAddress: '', userAgent: '' },
    });
  });

  it('S216: is a lockout after five attempts by default', () => {
    const { lockout } = GATEWAY_DEFAULTS.authentication;
    expect(lockout.maxAttempts).toBe(
      LOCKOUT_ATTEMPTS[MONITORING.incidentResponse.automaticLockout],
    );
  });
});

describe('the YAML of the second seed', () => {
  it('S216: has three roles and two policies', () => {
    const { Roles, Policies } = seedRoleFile();
    expect(Object.keys(Roles)).toEqual(['admin', 'user', 'guest']);
    expect(Roles['admin']!.permissions).toEqual(['*']);
    expect(Roles['guest']!.session_timeout).toBe(3600);
    expect(Object.keys(Policies ?? {})).toEqual(['file_transfer', 'group_calls']);
  });

  it('S216: has a playbook of four levels, each with a trigger, an action and a notification', () => {
    const book = load(readFileSync(seed('playbook.yaml'), 'utf8')) as Record<string, object>;
    const levels = Object.entries(book['Incident Response Playbook']!) as [string, object][];
    expect(levels.map(([name]) => name)).toEqual([
      'Level 1 - Information',
      'Level 2 - Warning',
      'Level 3 - Critical',
      'Level 4 - Emergency',
    ]);
    for (const [, level] of levels)
      expect(Object.keys(level)).toEqual(['trigger', 'action', 'notification']);
    expect(levels[3]![1]).toEqual({
      trigger: 'Confirmed breach or compromise',
      action: 'System isolation + incident response',
      notification: 'C-level + legal + regulatory notification',
    });
  });
});
