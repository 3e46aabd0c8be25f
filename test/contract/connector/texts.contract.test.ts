/** Unusual texts, from the request to a query: they are stored as in InfluxDB, or refused with the right reason. */
import { gzipSync } from 'node:zlib';
import { errorOf, type Stack, startStack, TIME } from './harness';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ environment: { default_dimension: 'none=none' } });
});
afterAll(() => stack.close());

const at = (line: string): string => `${line} ${TIME}000000000`;

test.each([
  ['NUL at the end', 'nul', 'eth0\u0000\u0000'],
  ['a tab', 'tab', 'a\tb'],
  [
    'every control character except LF',
    'all',
    String.fromCharCode(...Array.from({ length: 32 }, (_, n) => n)).replace('\n', ''),
  ],
  ['DEL', 'del', '\u007f'],
  ['a line break after a backslash', 'escaped', 'foo\\\nbar'],
])('a tag value with %s is stored unchanged', async (_, table, value) => {
  expect((await stack.write(at(`${table},d=${value},t=a v=1`))).status).toBe(204);
  expect(await stack.select('d, t, v', table)).toEqual([[value, 'a', '1.0']]);
});

test.each([
  ['a tag key', 'bar,k\u0000=a v=1', 'control character in a tag key'],
  ['a field key', 'bar,t=a v\u0001=1', 'control character in a field key'],
  ['the measurement', 'ba\u0002r,t=a v=1', 'control character in the measurement'],
  ['a tag key that continues after a line break', 'm,k\\\nbar=a v=1', 'control character in a tag key'],
  ['a measurement that continues after a line break', 'm\\\nbar,t=a v=1', 'control character in the measurement'],
  ['a value before CRLF after a backslash', 'm,t=foo\\\r\nbar,t=a v=1', 'no fields: expected a space and a field'],
])(
  'a control character in %s is refused with the right reason, and no part of its line is stored',
  async (_, line, reason) => {
    const response = await stack.write(at(line));
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain(reason);
    await expect(stack.count('bar')).rejects.toThrow();
  },
);

test.each([
  ['as text', (text: string) => new Uint8Array(Buffer.from(text)), {}],
  ['in gzip', (text: string) => new Uint8Array(gzipSync(text)), { 'Content-Encoding': 'gzip' }],
])('skips a byte order mark before the first line, %s', async (how, encode, headers: Record<string, string>) => {
  const table = `bom-${how.replace(' ', '-')}`;
  const body = `\ufeff${at(`${table},t=a v=1`)}\r\n${at(`${table},t=b v=2`)}\r\n`;
  expect((await stack.write(encode(body), headers)).status).toBe(204);
  expect(await stack.count(table)).toBe(2);
});

describe('a timestamp in another unit than the precision', () => {
  const messageOf = async (timestamp: string, precision: string) =>
    (await errorOf(await stack.write(`unit,t=a v=1 ${timestamp}`, {}, `&precision=${precision}`))).message;

  test.each([
    ['1795902338', 'ns', '1795902338 ns is 1970-01-01T00:00:01Z: is the precision right?'],
    ['1795902338123', 'ns', '1795902338123 ns is 1970-01-01T00:29:55Z: is the precision right?'],
    ['1795902338', 'ms', '1795902338 ms is 1970-01-21T18:51:42Z: is the precision right?'],
    ['7795902338', 's', '7795902338 s is 2217-01-16T08:25:38Z: is the precision right?'],
    ['1795902338123', 's', 'timestamp out of range (the precision is s)'],
  ])('%s %s is explained', async (timestamp, precision, message) => {
    expect(await messageOf(timestamp, precision)).toContain(message);
  });

  test('is not suspected for a time that is only too old', async () => {
    const message = await messageOf('631152000', 's');
    expect(message).toContain('outside the time range');
    expect(message).not.toContain('precision');
  });
});

test('the log suspects https if a TLS handshake comes', async () => {
  const printed: string[] = [];
  const plain = await startStack({ log: (line) => printed.push(line) });
  try {
    await expect(fetch(`${plain.url.replace('http:', 'https:')}/ping`)).rejects.toThrow();
    expect(printed).toEqual([expect.stringMatching(/^400 .* \(https sent to an http port\?\)$/)]);
  } finally {
    await plain.close();
  }
});
