/** The acceptance suite: the project's Jest settings, and the reporter that writes docs/acceptance.md. */
const base = require('../../jest.config.cjs');

module.exports = {
  ...base,
  testMatch: ['<rootDir>/test/acceptance/**/*.acceptance.test.ts'],
  // One file at a time: files share installed software, and some measure how long a client waits.
  maxWorkers: 1,
  // The first run on a machine installs and compiles third-party clients.
  testTimeout: 600_000,
  reporters: [...base.reporters, '<rootDir>/test/acceptance/reporter.cjs'],
};
