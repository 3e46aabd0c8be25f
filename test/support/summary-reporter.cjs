/**
 * Prints the skipped tests at the end of a run, and one line: `N passed, N failed, N skipped`. With REFUSE_SKIPS=true, as in CI, the run
 * fails if allowed-skips.json does not list a skipped test: required software is missing.
 */
const ALLOWED = require('./allowed-skips.json');

class SummaryReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) =>
      file.testResults
        .filter((test) => test.status === 'pending' || test.status === 'todo')
        .map((test) => test.fullName),
    );
    for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
    if (process.env.REFUSE_SKIPS === 'true') {
      this.refused = skipped.filter((name) => !ALLOWED.some(({ test }) => name.startsWith(test)));
      for (const name of this.refused) process.stdout.write(`not in test/support/allowed-skips.json: ${name}\n`);
    }
    // A file that fails to load has no tests, but counts as a failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    process.stdout.write(`${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped\n`);
  }

  /** Jest exits with 1 if a reporter has an error. */
  getLastError() {
    if (this.refused?.length > 0)
      return new Error(`${this.refused.length} skipped tests must run here: see test/support/allowed-skips.json`);
  }
}
module.exports = SummaryReporter;
