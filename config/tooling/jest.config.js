/** Unit tests stand beside the source; tests on a real API server in test/apiserver. */
const common = {
  rootDir: '../..',
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

export default {
  rootDir: '../..',
  maxWorkers: 2,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/*.spec.ts', '<rootDir>/test/unit/**/*.spec.ts'],
    },
    {
      ...common,
      displayName: 'apiserver',
      testMatch: ['<rootDir>/test/apiserver/**/*.spec.ts'],
      testTimeout: 120_000,
    },
    {
      ...common,
      displayName: 'long',
      testMatch: ['<rootDir>/test/long/**/*.spec.ts'],
    },
  ],
};
