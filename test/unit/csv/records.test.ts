/** CSV as UNLOAD writes it: quotes, escapes, NULL, header, compression, errors. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { CsvFormat } from 'shared/csv/format';
import { type CsvRecord, csvRecords } from 'shared/csv/records';

const FORMAT: CsvFormat = { columns: ['a', 'b', 'time'], delimiter: ',', escape: '\\' };

async function read(bytes: Uint8Array, format: CsvFormat = FORMAT): Promise<CsvRecord[]> {
  const records: CsvRecord[] = [];
  const range = (start: number, end: number) => Promise.resolve(new Uint8Array(bytes.slice(start, end)).buffer);
  for await (const some of csvRecords(range, bytes.length, format)) records.push(...some);
  return records;
}
const text = (value: string): Buffer => Buffer.from(value);

test('nothing is NULL, and two quotes are an empty text', async () => {
  expect(await read(text('x,,2024-01-01 00:00:00.000000000\n"",y,t\n'))).toEqual([
    ['x', null, '2024-01-01 00:00:00.000000000'],
    ['', 'y', 't'],
  ]);
});

test.each([
  ['in quotes', '"say \\"hi\\" \\\\ there\nnext, please",b,t\n'],
  ['without a line break at the end', '"say \\"hi\\" \\\\ there\nnext, please",b,t'],
])('reads quotes, backslashes, line breaks and delimiters %s', async (_, csv) => {
  expect(await read(text(csv))).toEqual([['say "hi" \\ there\nnext, please', 'b', 't']]);
});

test('escapes count outside of quotes too, as in the guide', async () => {
  expect(await read(text('Time\\"stream,Time\\\\stream,"Time,stream"\n'))).toEqual([
    ['Time"stream', 'Time\\stream', 'Time,stream'],
  ]);
});

test('other delimiters and escapes', async () => {
  const format = { ...FORMAT, delimiter: '|', escape: '"' };
  expect(await read(text('a,b|"x""y|z"|\\\n'), format)).toEqual([['a,b', 'x"y|z', '\\']]);
});

test('a header is recognized and left out', async () => {
  expect(await read(text('a,b,time\n1,2,3\n'))).toEqual([['1', '2', '3']]);
  expect(await read(text('"a","b","time"\r\n1,2,3\r\n'))).toEqual([['1', '2', '3']]);
});

test('gzip is recognized by its first bytes, also in several members', async () => {
  const members = Buffer.concat([gzipSync('1,2,3\n'), gzipSync('4,5,6\n')]);
  expect(await read(members)).toEqual([
    ['1', '2', '3'],
    ['4', '5', '6'],
  ]);
});

test('an empty file has no records', async () => {
  expect(await read(text(''))).toEqual([]);
  expect(await read(gzipSync(''))).toEqual([]);
});

test.each([
  ['another delimiter', text('a|b|c\n'), 'line 1 has 1 values, but the metadata has 3 columns: check the delimiter'],
  ['a record that is too short', text('1,2,3\n4,5\n'), 'on line 2'],
  ['a quote that does not end', text('1,2,"3\n4,5,6\n'), 'not CSV of this format'],
  ['gzip that was cut', gzipSync('1,2,3\n'.repeat(9999)).subarray(0, 60), 'damaged gzip'],
])('%s is an error of the file', async (_, bytes, message) => {
  await expect(read(bytes)).rejects.toMatchObject({
    name: 'UnreadableFile',
    message: expect.stringContaining(message),
  });
});

test('gives back any values', async () => {
  const value = fc.option(
    fc.string({ unit: 'binary' }).map((each) => each.replaceAll('\0', '')),
    { nil: null },
  );
  const mark = fc.constantFrom('\\', '^', '"');
  const rows = fc.array(fc.tuple(value, value, fc.constantFrom('t', 'u')), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(rows, mark, fc.boolean(), async (records, sign, isZipped) => {
      const escaped = (each: string): string =>
        [...each].map((char) => (char === '"' || char === sign ? sign + char : char)).join('');
      const cell = (each: string | null): string => (each === null ? '' : `"${escaped(each)}"`);
      const csv = `${records.map((record) => record.map(cell).join()).join('\n')}\n`;
      const bytes = isZipped ? gzipSync(csv) : text(csv);
      expect(await read(bytes, { ...FORMAT, escape: sign })).toEqual(records);
    }),
  );
});
