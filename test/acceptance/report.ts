/** What an acceptance test puts into docs/acceptance.md beside its claim: tables, and the reason why it is skipped. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where the tables wait for the reporter, which empties the folder before a run. */
const FOLDER = path.resolve(__dirname, '../../.build/acceptance');

type Cell = string | number | boolean;

/** The tables of this test file so far: they are reported in the order in which they were made. */
let tables = 0;

/**
 * Adds a table below the claims of the test file that calls it. Cells are Markdown; what varies between two runs (times, ports,
 * folders) has no place in them.
 */
export function detail(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const { testPath } = expect.getState();
  if (testPath === undefined) throw new Error('detail() is called outside of a test file');
  const file = path.basename(testPath);
  mkdirSync(FOLDER, { recursive: true });
  const name = `${file}.${String(tables++).padStart(3, '0')}.json`;
  writeFileSync(path.join(FOLDER, name), JSON.stringify({ file, title, columns, rows }));
}

/** Any text as code in a cell: control characters are escaped as in JSON. */
export function code(text: string): string {
  const shown = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  if (shown === '') return '';
  return shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}

/**
 * `describe` by the means of proof; each test in it is a claim. Where something is missing on this machine, its tests are skipped
 * and the report says so.
 * @param missing what is missing and how to install it; undefined where nothing is
 */
export function describeProof(proof: string, missing: string | undefined, tests: () => void): void {
  if (missing === undefined) describe(proof, tests);
  else describe.skip(`${proof} [skipped: ${missing}]`, tests);
}
