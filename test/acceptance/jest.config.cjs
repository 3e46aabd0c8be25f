/** The acceptance suite: jest as everywhere, with a report of what was proved. */
const base = require('../../jest.config.cjs');

module.exports = {
  ...base,
  testMatch: ['<rootDir>/test/acceptance/**/*.acceptance.test.ts'],
  // One file at a time: they share what the first run installs, and some measure how long a client waits.
  maxWorkers: 1,
  // The first run on a machine installs and compiles other people's clients.
  testTimeout: 600_000,
  reporters: [...base.reporters, '<rootDir>/test/acceptance/reporter.cjs'],
};
