import { Readable } from 'node:stream';
import { FORMATS, formatted, type Page } from '../../../local/query/format';

function pagesOf(...names: string[]): AsyncIterable<Page> {
  const page: Page = {
    columns: names.map((Name) => ({ Name, Type: { ScalarType: 'BIGINT' } })),
    rows: [{ Data: names.map((_, index) => ({ ScalarValue: String(index + 1) })) }],
  };
  return Readable.from([page, page]);
}

const collected = async (format: (typeof FORMATS)[number], ...names: string[]): Promise<string> => {
  let text = '';
  for await (const part of formatted(format, pagesOf(...names))) text += part;
  return text;
};

test('refuses two columns of one name as JSON before the first row', async () => {
  const parts = formatted('json', pagesOf('b', 'a', 'a'));
  await expect(parts.next()).rejects.toThrow('two columns are named a: name them with AS');
  expect(JSON.parse(await collected('json', 'a', 'A'))).toEqual(Array(2).fill({ a: 1, A: 2 }));
});

test.each(FORMATS.filter((format) => format !== 'json'))('shows both columns of one name as %s', async (format) => {
  const [header = '', ...lines] = (await collected(format, 'a', 'a')).split('\n');
  expect(header.match(/a/g)).toHaveLength(2);
  expect(lines.filter((line) => /^1\W+2$/.test(line))).toHaveLength(2);
});
