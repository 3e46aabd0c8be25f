/** One configuration for every kind of test; the kinds are folders below test/, chosen by path. */
module.exports = {
  rootDir: __dirname,
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
    // ES modules, which Jest does not run as they are.
    '/node_modules/(?:hyparquet|env-paths|is-safe-filename)': [
      '@swc/jest',
      { jsc: { target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!hyparquet|env-paths|is-safe-filename)'],
  moduleNameMapper: {
    // A thread cannot be started from TypeScript.
    '^shared/parquet/worker$': '<rootDir>/.build/parquet-worker.cjs',
    '^shared/(.*)$': '<rootDir>/layers/shared/src/$1',
  },
  modulePathIgnorePatterns: [
    '<rootDir>/.aws-sam/',
    '<rootDir>/.build/',
    '<rootDir>/layers/shared/dist/',
    '<rootDir>/layers/shared/vendor/',
  ],
  // Some tests run against servers over HTTP: a busy machine takes its time.
  testTimeout: 60_000,
  reporters: [
    'default',
    '<rootDir>/test/support/summary-reporter.cjs',
    '<rootDir>/test/support/reliability-reporter.cjs',
  ],
};
