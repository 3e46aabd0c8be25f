/** What an acceptance test adds to its claim in docs/acceptance.md: tables, and the reason if it is skipped. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of the tables for the reporter, which empties it before a run. */
const FOLDER = path.resolve(__dirname, '../../.build/acceptance');

type Cell = string | number | boolean;

/** The number of tables of this test file so far; the report keeps their order. */
let tables = 0;

/**
 * Adds a table below the claims of the calling test file. Cells are Markdown, without values that change between runs (times, ports,
 * folders).
 */
export function detail(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const { testPath } = expect.getState();
  if (testPath === undefined) throw new Error('detail() is called outside of a test file');
  const file = path.basename(testPath);
  mkdirSync(FOLDER, { recursive: true });
  const name = `${file}.${String(tables++).padStart(3, '0')}.json`;
  writeFileSync(path.join(FOLDER, name), JSON.stringify({ file, title, columns, rows }));
}

/** Any text as code in a cell; control characters are escaped as in JSON. */
export function code(text: string): string {
  const shown = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll('\\\\', '\\');
  if (shown === '') return '';
  return shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``;
}

/**
 * `describe` with the means of proof as its title; each test in it is a claim. If software is missing on this machine, its tests are
 * skipped, and the report says so.
 * @param missing the missing software and how to install it; undefined if nothing is missing
 */
export function describeProof(proof: string, missing: string | undefined, tests: () => void): void {
  if (missing === undefined) describe(proof, tests);
  else describe.skip(`${proof} [skipped: ${missing}]`, tests);
}
