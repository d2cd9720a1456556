import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Unit tests stand beside the source; tests on a real API server in test/apiserver. */
const common = {
  rootDir: root,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true },
          target: 'es2024',
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** Builds etcd and kube-apiserver if they are nowhere, and gives tests the time that programs need. */
const testBed = {
  globalSetup: '<rootDir>/test/testbed/build.js',
  setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
};

/** How the names of specs begin that start a gateway. */
const GATEWAY_SPECS = '(gateway-|client-|cli-|nat|standalone)';
const WITH_GATEWAY = `test/processes/${GATEWAY_SPECS}`;

export default {
  rootDir: root,
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/config/tooling/results.reporter.js'],
  projects: [
    {
      ...common,
      displayName: 'unit',
      setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
      testMatch: [
        '<rootDir>/src/**/*.spec.ts',
        '<rootDir>/test/*.spec.ts',
        '<rootDir>/test/unit/**/*.spec.ts',
      ],
    },
    {
      ...common,
      ...testBed,
      displayName: 'apiserver',
      testMatch: ['<rootDir>/test/apiserver/**/*.spec.ts'],
    },
    {
      // What helm renders from charts/.
      ...common,
      ...testBed,
      displayName: 'chart',
      testMatch: ['<rootDir>/test/chart/**/*.spec.ts'],
    },
    {
      // Real PostgreSQL and NATS servers, from packages of the distribution.
      ...common,
      displayName: 'storage',
      setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
      testMatch: ['<rootDir>/test/storage/**/*.spec.ts'],
    },
    {
      // Alerts: the distribution's promtool plays what fires and what does not.
      ...common,
      displayName: 'rules',
      setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
      testMatch: ['<rootDir>/test/rules/**/*.spec.ts'],
    },
    {
      // What is delivered: the image, made twice, looked through, and its programs started inside it.
      ...common,
      ...testBed,
      displayName: 'image',
      testMatch: ['<rootDir>/test/image/**/*.spec.ts'],
    },
    {
      // Relay and endpoints as real processes on loopback, and the packets between them.
      ...common,
      displayName: 'processes',
      setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
      testMatch: ['<rootDir>/test/processes/*.spec.ts'],
      testPathIgnorePatterns: [WITH_GATEWAY],
    },
    {
      // The same with a gateway: logins, signaling, files, the command line, networks with NATs, the quickstart.
      ...common,
      displayName: 'gateway',
      setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
      testMatch: ['<rootDir>/test/processes/*.spec.ts'],
      testPathIgnorePatterns: [`test/processes/(?!${GATEWAY_SPECS})`],
    },
    {
      // A real node with our image and chart: kubelet, containerd, names, network policies.
      ...common,
      displayName: 'cluster',
      globalSetup: '<rootDir>/test/cluster/bed/setup.js',
      globalTeardown: '<rootDir>/test/cluster/bed/teardown.js',
      setupFilesAfterEnv: ['<rootDir>/config/tooling/patience.setup.js'],
      testMatch: ['<rootDir>/test/cluster/*.spec.ts'],
    },
    {
      // Looks at the results of all others, so it runs after them.
      ...common,
      displayName: 'final',
      testMatch: ['<rootDir>/test/final/**/*.spec.ts'],
    },
    {
      ...common,
      ...testBed,
      displayName: 'long',
      testMatch: ['<rootDir>/test/long/**/*.spec.ts'],
    },
  ],
};
