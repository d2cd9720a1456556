import { describe, expect, it } from '@jest/globals';
import { refuseInsecureStart, type ProcessStart } from './insecure-environment.js';
import { insecureSetting, refuseInsecureSettings } from './insecure-settings.js';

const start = (over: Partial<ProcessStart>): (() => void) => {
  return () => {
    refuseInsecureStart({
      argv: ['--settings', '/etc/settings.json'],
      execArgv: [],
      env: {},
      ...over,
    });
  };
};

describe('a program that is asked to run with less security', () => {
  it.each([
    '--insecure',
    '--insecure=true',
    '--no-tls',
    '--noTls',
    '--no-verify',
    '--no-encryption',
    '--no-auth',
    '--no-lease',
    '--allow-plaintext',
    '--allow-insecure',
    '--allow-v1',
    '--enable-http',
    '--plaintext',
    '--disable-tls',
    '--skip-verify',
    '--insecure-skip-verify',
    '--insecure-skip-tls-verify',
    '--cipher=none',
    '--cipher=null',
    '--dev-mode',
    '-insecure',
  ])('S24: stops at the flag %s with the reason', (flag) => {
    expect(start({ argv: ['--settings', 'x', flag] })).toThrow(
      /asks for less security.*no insecure mode/,
    );
  });

  it.each([
    '--inspect',
    '--inspect-brk=0.0.0.0:9229',
    '--tls-min-v1.0',
    '--tls-min-v1.1',
    '--tls-min-v1.2',
    '--tls-max-v1.2',
    '--tls-keylog=/tmp/keys',
    '--trace-tls',
    '--tls-cipher-list=NULL',
    '--insecure-http-parser',
    '--openssl-legacy-provider',
    '--openssl-config=/tmp/x',
    '--security-revert=CVE-2023-46809',
    '--use-system-ca',
    '--use-openssl-ca',
    '--heapsnapshot-signal=SIGUSR2',
  ])('S24: stops at the option %s of Node, on the command line and in NODE_OPTIONS', (option) => {
    const name = option.split('=')[0]!;
    expect(start({ execArgv: [option] })).toThrow(`started with ${name}, which`);
    expect(start({ env: { NODE_OPTIONS: `--max-old-space-size=64 "${option}"` } })).toThrow(
      `NODE_OPTIONS holds ${name}, which`,
    );
  });

  it.each([
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', 'false'],
    ['SSLKEYLOGFILE', '/tmp/keys'],
    ['OPENSSL_CONF', '/tmp/openssl.cnf'],
    ['OPENSSL_MODULES', '/tmp'],
    ['NODE_DEBUG', 'tls,net'],
    ['SALLYPORT_INSECURE', '1'],
    ['RELAY_NO_TLS', 'yes'],
    ['RELAY_ALLOW_PLAINTEXT', 'true'],
    ['GATEWAY_SKIP_VERIFY', '1'],
    ['RELAY_ALLOW_V1', '1'],
    ['RELAY_NO_LEASE', '1'],
    ['SALLYPORT_RELAY_DEV_MODE', '1'],
    ['GATEWAY_ALLOW_ANONYMOUS', '1'],
    ['SALLYPORT_DISABLE_ENCRYPTION', '1'],
    ['NODE_USE_SYSTEM_CA', '1'],
  ])('S24: stops at the variable %s=%s without showing its value', (name, value) => {
    expect(start({ env: { [name]: value } })).toThrow(`The variable ${name} `);
    expect(start({ env: { [name]: `${value}-canary` } })).not.toThrow('canary');
  });

  it.each([
    ['insecure', { insecure: true }],
    ['tls', { tls: false }],
    ['listeners.fallback.tls', { listeners: { fallback: { tls: null } } }],
    ['tls.verify', { tls: { verify: false } }],
    ['tls.insecureSkipVerify', { tls: { insecureSkipVerify: true } }],
    ['tls.insecure_skip_verify', { tls: { insecure_skip_verify: false } }],
    ['tls.rejectUnauthorized', { tls: { rejectUnauthorized: false } }],
    ['tls.minVersion', { tls: { minVersion: 'TLSv1' } }],
    ['cipher', { cipher: 'none' }],
    ['session.ciphers', { session: { ciphers: ['NULL'] } }],
    ['leases', { leases: 'off' }],
    ['gateways.0.noVerify', { gateways: [{ noVerify: true }] }],
    ['stun.allowV1', { stun: { allowV1: true } }],
  ])('S24: stops at the setting %s', (path, settings) => {
    expect(() => {
      refuseInsecureSettings(settings, 'settings.json');
    }).toThrow(`settings.json: "${path}" asks for less security`);
  });
});

describe('a program that is started as it should be', () => {
  it('goes on', () => {
    const env = {
      NODE_OPTIONS: '--max-old-space-size=64',
      NODE_TLS_REJECT_UNAUTHORIZED: '1',
      HOME: '/',
    };
    expect(start({ env, execArgv: ['--import', 'tsx'] })).not.toThrow();
    expect(start({ argv: ['--settings', '/etc/insecure/settings.json'] })).not.toThrow();
  });
  it('has settings that are not mistaken for a wish', () => {
    const settings = {
      tls: { keyFile: '/tls.key' },
      stun: { allowPlain: true },
      listeners: { fallback: { enabled: false } },
      authentication: { mfa: 'Required' },
    };
    expect(insecureSetting(settings)).toBeUndefined();
  });
});
