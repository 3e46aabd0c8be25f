/** The acceptance suite: jest as everywhere, with a report of what was proved. */
const base = require('../../jest.config.cjs');

module.exports = {
  ...base,
  testMatch: ['<rootDir>/test/acceptance/**/*.acceptance.test.ts'],
  // The first run on a machine installs and compiles other people's clients.
  testTimeout: 600_000,
  reporters: [...base.reporters, '<rootDir>/test/acceptance/reporter.cjs'],
};
