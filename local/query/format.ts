/** Formats the result of a query page by page: as a table, as CSV (RFC 4180) or as JSON. */
import type { ColumnInfo, Row } from '@aws-sdk/client-timestream-query';
import { number } from 'shared/count-text';
import { jsonValue, nameOf, type Value } from './values';

export const FORMATS = ['table', 'csv', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface Page {
  readonly columns: readonly ColumnInfo[];
  readonly rows: readonly Row[];
}

/** Maximum length of a value in a table, in characters. */
const MAX_CELL = 60;

export async function* formatted(format: Format, pages: AsyncIterable<Page>): AsyncGenerator<string> {
  if (format === 'table') yield* asTable(pages);
  else if (format === 'csv') yield* asCsv(pages);
  else yield* asJson(pages);
}

const valuesOf = ({ Data = [] }: Row, columns: readonly ColumnInfo[]): Value[] =>
  columns.map(({ Type }, index) => jsonValue(Data[index] ?? { NullValue: true }, Type));

async function* asJson(pages: AsyncIterable<Page>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const { columns, rows } of pages) {
    const names = columns.map(nameOf);
    assertUnique(names);
    for (const row of rows) {
      const values = valuesOf(row, columns);
      yield `${separator}${JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index]])))}`;
      separator = ',\n';
    }
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

/** An object has one value per name: of two columns, one would be lost. */
function assertUnique(names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new Error(`two columns are named ${repeated}: name them with AS`);
}

async function* asCsv(pages: AsyncIterable<Page>): AsyncGenerator<string> {
  const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const line = (texts: readonly string[]): string => `${texts.map(quoted).join(',')}\n`;
  let isFirst = true;
  for await (const { columns, rows } of pages) {
    if (isFirst) yield line(columns.map(nameOf));
    isFirst = false;
    yield rows.map((row) => line(valuesOf(row, columns).map(textOf))).join('');
  }
}

function textOf(value: Value): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The first page sets the widths of the columns. Numbers are aligned right. */
async function* asTable(pages: AsyncIterable<Page>): AsyncGenerator<string> {
  let widths: number[] | undefined;
  let count = 0;
  for await (const { columns, rows } of pages) {
    const cells = rows.map((row) => valuesOf(row, columns).map((value) => cellOf(textOf(value))));
    const names = columns.map((column, index) => cellOf(nameOf(column, index)));
    const isRight = columns.map(({ Type }) => /^(?:BIGINT|INTEGER|DOUBLE)$/.test(Type?.ScalarType ?? ''));
    const isFirst = widths === undefined;
    widths ??= names.map((name, index) => Math.max(widthOf(name), ...cells.map((row) => widthOf(row[index] ?? ''))));
    const line = (texts: readonly string[]): string =>
      `${texts.map((text, index) => padded(text, widths?.[index] ?? 0, isRight[index] === true)).join('  ')}`.trimEnd();
    if (isFirst) yield `${line(names)}\n${widths.map((width) => '-'.repeat(width)).join('  ')}\n`;
    yield cells.map((row) => `${line(row)}\n`).join('');
    count += rows.length;
  }
  yield `(${number(count, 'row')})\n`;
}

/** Escapes control characters, which a terminal would interpret. */
function cellOf(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1).replace('\u007f', '?'));
  const characters = [...plain];
  return characters.length > MAX_CELL ? `${characters.slice(0, MAX_CELL - 3).join('')}...` : plain;
}

const widthOf = (text: string): number => [...text].length;

function padded(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return isRight ? space + text : text + space;
}
