/**
 * Fails a run that includes a test file of docs/reliability.md, but not the test that the page names. `%s` and similar placeholders in a
 * title match any text, as in `test.each`.
 */
const { readFileSync } = require('node:fs');
const { join, relative } = require('node:path');

const ROOT = join(__dirname, '../..');

class ReliabilityReporter {
  onRunComplete(_contexts, { testResults }) {
    const titles = new Map(
      testResults.map((file) => [relative(ROOT, file.testFilePath), file.testResults.map(({ title }) => title)]),
    );
    const page = readFileSync(join(ROOT, 'docs/reliability.md'), 'utf8');
    const missing = [...page.matchAll(/`(test\/\S+\.test\.ts)`: (.*?) +\|$/gm)].filter(([, file, title]) => {
      const known = titles.get(file);
      return known && !known.some((each) => patternOf(title).test(each));
    });
    if (missing.length === 0) return;
    const list = missing.map(([, file, title]) => `\n  ${file}: ${title}`).join('');
    this.error = new Error(`docs/reliability.md names tests that do not exist:${list}`);
    process.stdout.write(`${this.error.message}\n`);
  }

  /** Jest exits with 1 if this returns an error. */
  getLastError() {
    return this.error;
  }
}

function patternOf(title) {
  const parts = title.split(/%[a-zA-Z]/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

module.exports = ReliabilityReporter;
