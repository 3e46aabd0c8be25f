/**
 * Writes docs/acceptance.md. Each file of the suite has one row per claim (test), with the means of proof (the `describe` around it) and
 * the result, and then the tables of its tests. There are no times and dates, so the file changes only when a result does.
 */
const { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '../..');
const TABLES = path.join(ROOT, '.build/acceptance');
const REPORT = path.join(ROOT, 'docs/acceptance.md');
const SUFFIX = '.acceptance.test.ts';

const HEAD = `# Acceptance

The claims of this project, how each is verified, and the result of the last run. \`npm run acceptance\` runs the suite and writes this
page. Nothing ran on AWS: the means of proof are independent of this project's code (third-party clients and servers, the vendors' own
models), or run its code as a user would.
`;

class AcceptanceReporter {
  constructor(globalConfig) {
    this.filtered = globalConfig.testNamePattern !== undefined && globalConfig.testNamePattern !== '';
  }

  onRunStart() {
    rmSync(TABLES, { recursive: true, force: true });
    mkdirSync(TABLES, { recursive: true });
  }

  onRunComplete(_contexts, { testResults }) {
    const ran = new Map(testResults.map((result) => [path.basename(result.testFilePath), result]));
    const files = readdirSync(__dirname).filter((file) => file.endsWith(SUFFIX));
    if (this.filtered || files.some((file) => !ran.has(file))) {
      process.stdout.write('docs/acceptance.md is unchanged: only a part of the suite ran\n');
      return;
    }
    const sections = files.sort().map((file) => section(file, ran.get(file)));
    writeFileSync(REPORT, [HEAD, totals(sections), ...sections.map(({ text }) => text)].join('\n'));
  }
}

/** The claims of one test file and its tables, as Markdown. */
function section(file, { testResults, testExecError }) {
  const claims = testResults.map(claimOf);
  // A file that cannot be loaded has no claims, but counts as a failure.
  if (testExecError) claims.push({ claim: 'the test file can be loaded', proof: 'running it', result: 'failed' });
  const rows = claims.map(({ claim, proof, result }) => [claim, proof, result]);
  const tables = readdirSync(TABLES)
    .filter((name) => name.startsWith(`${file}.`))
    .sort()
    .map((name) => JSON.parse(readFileSync(path.join(TABLES, name), 'utf8')))
    .map((each) => `### ${each.title}\n\n${table(each.columns, each.rows)}`);
  const heading = `## [${file.slice(0, -SUFFIX.length)}](../test/acceptance/${file})\n\n${headComment(file)}\n`;
  return { claims, text: [heading, table(['claim', 'proved by', 'result'], rows), ...tables].join('\n') };
}

/** The comment on the first lines of a test file. */
function headComment(file) {
  const [, comment = ''] = readFileSync(path.join(__dirname, file), 'utf8').match(/^\/\*\*(.*?)\*\//s) ?? [];
  return comment.replaceAll(/\s*\n \*\s*/g, ' ').trim();
}

function claimOf({ title, ancestorTitles, status }) {
  const full = ancestorTitles.join(', ');
  const proof = full.replaceAll(/ \[skipped: .*?\]/g, '');
  const [, reason] = full.match(/ \[skipped: (.*?)\]/) ?? [];
  if (status === 'passed' || status === 'failed') return { claim: title, proof, result: status };
  return { claim: title, proof, result: reason === undefined ? 'skipped' : `skipped: ${reason}` };
}

function totals(sections) {
  const results = sections.flatMap(({ claims }) => claims).map(({ result }) => result.split(':')[0]);
  const count = (result) => results.filter((each) => each === result).length;
  return `${results.length} claims: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped.\n`;
}

function table(columns, rows) {
  const line = (cells) => `| ${cells.map(cellText).join(' | ')} |`;
  return `${[line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

const cellText = (cell) => String(cell).replaceAll('|', '\\|').replaceAll(/\r?\n/g, '<br>');

module.exports = AcceptanceReporter;
