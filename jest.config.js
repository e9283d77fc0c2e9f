/** One project a layer; `node test/run.ts unit integration …` runs them and prints the closing line. */
const base = {
  rootDir: import.meta.dirname,
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
};

const layer = (name, timeoutMs, hooks = {}) => ({
  ...hooks,
  ...base,
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  globals: { testTimeoutMs: timeoutMs },
  setupFilesAfterEnv: ['<rootDir>/test/timeout.ts'],
});

// One cluster in mode loopback for all test files of a project.
const shared = {
  globalSetup: '<rootDir>/test/cluster/globalsetup.ts',
  globalTeardown: '<rootDir>/test/cluster/globalteardown.ts',
};

// And for those of e2e one with a real node, which has our images.
const realNode = { ...shared, globalSetup: '<rootDir>/test/e2e/globalsetup.ts' };

export default {
  projects: [
    layer('unit', 10_000),
    layer('integration', 120_000, shared),
    layer('e2e', 240_000, realNode),
    layer('chaos', 600_000, shared),
  ],
};
