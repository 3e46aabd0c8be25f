/** The grammar, with hand-written lines: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
import { decodePoints, type FieldValue } from 'shared/line-protocol/point';
import { type Precision, V1_PRECISIONS } from 'shared/line-protocol/precision';
import { cpuMilliseconds } from '../../support/cpu-time';

const decode = (text: string | Buffer, precision?: Precision) => decodePoints(Buffer.from(text), 7n, precision);
const field = (value: string): FieldValue | undefined => decode(`m f=${value} 1`).points[0]?.fields[0][1];
const errors = (text: string | Buffer) => decode(text).errors.map(({ line, reason }) => `${line}|${reason}`);

test('reads the measurement, tags sorted by key, fields in order, and the time', () => {
  expect(decode('weather,b=2,a=1 t=82.5,h=71i 1465839830100400200').points).toEqual([
    {
      measurement: 'weather',
      tags: [
        ['a', '1'],
        ['b', '2'],
      ],
      fields: [
        ['t', { type: 'float', value: 82.5 }],
        ['h', { type: 'integer', value: 71n }],
      ],
      time: 1465839830100400200n,
    },
  ]);
});

test.each([
  ['1', { type: 'float', value: 1 }],
  ['-1.5e-7', { type: 'float', value: -1.5e-7 }],
  ['.5', { type: 'float', value: 0.5 }],
  ['05.', { type: 'float', value: 5 }],
  ['-9223372036854775808i', { type: 'integer', value: -9223372036854775808n }],
  ['0009i', { type: 'integer', value: 9n }],
  ['18446744073709551615u', { type: 'unsigned', value: 18446744073709551615n }],
  ['t', { type: 'boolean', value: true }],
  ['FALSE', { type: 'boolean', value: false }],
  ['"a \\"b\\" \\\\ \\n, c=d"', { type: 'string', value: 'a "b" \\ \\n, c=d' }],
  ['"two\nlines"', { type: 'string', value: 'two\nlines' }],
  ['""', { type: 'string', value: '' }],
])('reads the field value %s', (text, expected) => {
  expect(field(text)).toEqual(expected);
});

test.each([
  '9223372036854775808i',
  '-9223372036854775809i',
  '18446744073709551616u',
  '-1u',
  '1.0i',
  '1e400',
  'NaN',
  'Inf',
  '-',
  '.',
  '1e',
  '+1',
  'tRUE',
  'x',
  '0x10',
  '1_000',
  '"open',
])('refuses the field value %s', (text) => {
  const { points, errors } = decode(`m f=${text} 1`);
  expect([points.length, errors.length]).toEqual([0, 1]);
});

test('unescapes measurement, tags and fields by their own rules and keeps other backslashes', () => {
  const { points } = decode('a\\,\\ \\=b,k\\=\\,\\ y=v\\=\\\\x f\\=\\,\\ g=1 1');
  expect(points[0]).toMatchObject({
    measurement: 'a, \\=b',
    tags: [['k=, y', 'v=\\\\x']],
    fields: [['f=, g', { type: 'float', value: 1 }]],
  });
});

test.each([
  ['ns', '1700000000123456789', 1700000000123456789n],
  ['n', '-1', -1n],
  ['us', '1700000000123456', 1700000000123456000n],
  ['u', '7', 7000n],
  ['ms', '1700000000123', 1700000000123000000n],
  ['s', '1700000000', 1700000000000000000n],
  ['m', '28333333', 1699999980000000000n],
  ['h', '472222', 1699999200000000000n],
  ['ns', '9223372036854775807', 9223372036854775807n],
  ['ns', '-9223372036854775808', -9223372036854775808n],
  ['s', '-9223372036', -9223372036000000000n],
  ['ms', '000000000000000000000001', 1000000n],
])('reads a timestamp in %s: %s', (unit, digits, time) => {
  expect(decode(`m f=1 ${digits}`, V1_PRECISIONS.get(unit)).points[0]?.time).toBe(time);
});

test.each([
  ['ns', '9223372036854775808'],
  ['ns', '-9223372036854775809'],
  ['s', '9223372037'],
  ['h', '2562048'],
  ['ns', '99999999999999999999999999'],
  ['ns', '1.5'],
  ['ns', '-'],
  ['ns', '1 2'],
])('refuses a timestamp in %s: %s', (unit, digits) => {
  expect(decode(`m f=1 ${digits}`, V1_PRECISIONS.get(unit)).errors).toHaveLength(1);
});

test('uses the default time, truncated to the precision, if the timestamp is missing', () => {
  expect(decodePoints(Buffer.from('m f=1'), 1_700_000_000_123_456_789n, V1_PRECISIONS.get('s')).points[0].time).toBe(
    1_700_000_000_000_000_000n,
  );
});

test('accepts LF, CRLF, blank lines, comments and indentation', () => {
  expect(decode('# c\r\n\n  m f=1 1\r\n   # d\n\r\nn f=2 2 \r').points.map((p) => p.measurement)).toEqual(['m', 'n']);
});

test('reports line and column of each invalid line and continues with the next line', () => {
  const text = ['ok f=1', 'm,t f=1', 'ok f="a\nb"', '  m f=1,', 'm f="x" y', 'ok f=1'].join('\n');
  const { points } = decode(text);
  expect(points).toHaveLength(3);
  expect(errors(text)).toEqual([
    "2|at line 2:4: expected '=' after the tag key",
    '5|at line 5:9: expected a field key',
    '6|at line 6:9: invalid timestamp',
  ]);
});

test('loses only one line if a string has no closing quote', () => {
  expect(decode('bad s="open\ngood f=1 1\n').points.map((p) => p.measurement)).toEqual(['good']);
  expect(errors('bad s="open\ngood f=1 1\n')).toEqual([
    '1|at line 1:7: expected a closing quote, found the end of the input',
  ]);
});

test('counts newlines inside a string for the position of an error after them', () => {
  expect(errors('m s="a\nb"x 1\nok f=1')).toEqual(['1|at line 2:3: unexpected character after the field']);
});

test("refuses the comma before the timestamp of the original connector's example", () => {
  expect(errors('cpu_load_short,host=server01,region=us-west value=0.64,average=1.24, 1725059274')).toEqual([
    '1|at line 1:69: expected a field key',
  ]);
});

test.each(['m,a=1,a=2 f=1', 'm,a=\\=,b=1,a=\\= f=1'])('refuses duplicate tag keys: %s', (line) => {
  expect(errors(line)[0]).toMatch(/duplicate tag key 'a'/);
});

test.each([
  Buffer.from([0x6d, 0xff, 0x20, 0x66, 0x3d, 0x31]),
  Buffer.concat([Buffer.from('m,t'), Buffer.from([0xc3]), Buffer.from('=1 f=1')]),
  Buffer.concat([Buffer.from('m f="'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"')]),
])('refuses invalid UTF-8 in a line and reads the next line: %p', (line) => {
  const { points, errors } = decode(Buffer.concat([line, Buffer.from('\nok f=1')]));
  expect([points.map((p) => p.measurement), errors.map((f) => f.line)]).toEqual([['ok'], [1]]);
});

describe('control characters', () => {
  test.each(['\u0000', '\u0001', '\t', '\u000b', '\r', '\u001f', '\u007f'])(
    'are part of a tag value, at its start, inside and at its end: %j',
    (control) => {
      const values = [`${control}a`, `a${control}b`, `a${control}`, control];
      for (const value of values) {
        expect(decode(`m,t=${value},u=x f=1 1\nok f=1`)).toMatchObject({
          points: [
            {
              tags: [
                ['t', value],
                ['u', 'x'],
              ],
            },
            { measurement: 'ok' },
          ],
          errors: [],
        });
      }
    },
  );

  test('are part of a string', () => {
    expect(field('"a\u0000\t\r\u007fb"')).toEqual({ type: 'string', value: 'a\u0000\t\r\u007fb' });
  });

  test.each([
    ['a\u0000b,t=a f=1', 'at line 1:2: control character in the measurement'],
    ['\tm,t=a f=1', 'at line 1:1: control character in the measurement'],
    ['m,\u0001t=a f=1', 'at line 1:3: control character in a tag key'],
    ['m,t\u0001=a f=1', 'at line 1:4: control character in a tag key'],
    ['m,t=a f\u007f=1', 'at line 1:8: control character in a field key'],
    ['m,t=a \u0000f=1', 'at line 1:7: control character in a field key'],
    ['m\rx,t=a f=1', 'at line 1:2: control character in the measurement'],
    ['#\u0001', 'at line 1:2: control character in a comment'],
  ])('are reported in names and comments, which must not contain them: %j', (line, reason) => {
    expect(errors(`${line}\nok f=1`)).toEqual([`1|${reason}`]);
    expect(decode(`${line}\nok f=1`).points).toHaveLength(1);
  });

  test('are valid in a comment if they are tabs', () => {
    expect(decode('#\ta\tb\nok f=1')).toMatchObject({ points: [{ measurement: 'ok' }], errors: [] });
  });
});

// Expected: what InfluxDB 2.7.12 stores for the same lines. If it stores nothing, the decoder must report one invalid line.
describe('a line break after a backslash', () => {
  test.each([
    ['m,n=foo\\\nbar,t=a c=1 1', 'foo\\\nbar'],
    ['m,n=\\\nb,t=a c=1 1', '\\\nb'],
    ['m,n=a\\\n c=1 1', 'a\\\n'],
    ['m,n=foo\\\n\\\nbar c=1 1', 'foo\\\n\\\nbar'],
    ['m,n=a\\\\\\\nb c=1 1', 'a\\\\\\\nb'],
  ])('is part of a tag value: %j', (line, value) => {
    const { points, errors: found } = decode(`${line}\nm,n=next c=2 2\n${line}\nm`);
    expect(points.map(({ tags }) => tags[0])).toEqual([
      ['n', value],
      ['n', 'next'],
      ['n', value],
    ]);
    // The following lines keep their numbers.
    expect(found.map((error) => error.line)).toEqual([2 + 2 * line.split('\n').length]);
  });

  test.each([
    'm\\\nbar,n=a c=1 1',
    '\\\nbar,n=a c=1 1',
    'm,n\\\nbar=a c=1 1',
    'm,n=a,\\\nbar=b c=1 1',
    'm,n=a c\\\nbar=1 1',
    'm,n=a \\\nbar=1 1',
    'm,n=a c=1,\\\nbar=2 1',
    'm,n=a c=\\\nbar b=1',
    'm,n=a c=1\\\nbar,n=b c=1 1',
    'm,n=a c=1i\\\nbar,n=b c=1 1',
    'm,n=a c="x"\\\nbar,n=b c=1 1',
    'm,n=a c=1 1\\\nbar,n=b c=1 1',
    'm,n=a c=1 1 \\\nbar,n=b c=1 1',
    'm,n=a\\\nbar',
    'm,n=a\\\n\\\nbar c',
    'm,n=foo\\\r\nbar,t=a c=1 1',
    'm,n=a c=1\\\r\nbar,t=a c=1 1',
    'm\\\r\nbar,t=a c=1 1',
  ])('does not start a new line in an invalid line: %j', (line) => {
    const { points, errors: found } = decode(`${line}\nnext,n=a c=2 2`);
    expect([points.map((p) => p.measurement), found.map((error) => error.line)]).toEqual([['next'], [1]]);
  });

  test.each(['m,n=a\\\\\nnext c=1 1', 'm,n=a\\\\\r\nnext c=1 1'])('ends the line after two backslashes: %j', (text) => {
    expect(decode(text).points.map((p) => p.measurement)).toEqual(['next']);
  });

  test.each(['m,n=a\\', 'm,n=a\\\n', 'm\\', '\\', 'm,n=a c="\\\n', 'm,n=a c=1\\\r\n'])(
    'is an error at the end of the body: %j',
    (text) => {
      expect(decode(text)).toMatchObject({ points: [], errors: [{ line: 1 }] });
    },
  );

  test('ends a comment, like any line break', () => {
    expect(decode('# C:\\\nok f=1').points).toHaveLength(1);
  });
});

test('reads no separate lines from a multi-line string after an error', () => {
  const { points, errors: found } = decode('m,t=a v=NaN,s="one\nbar,t=a v=1 1\ntwo",b=t 1\nok f=1\nbad');
  expect([points.map((p) => p.measurement), found.map((error) => error.line)]).toEqual([['ok'], [1, 5]]);
});

test('loses only one line if a string after an error has no closing quote', () => {
  expect(decode('m,t=a v=NaN,s="one\nok f=1\nok f=2').points).toHaveLength(2);
});

test('reads no separate lines from a multi-line string after an error in the last line', () => {
  expect(decode('m,t=a v=NaN,s="one\nbar,t=a v=1 1\ntwo"')).toMatchObject({ points: [], errors: [{ line: 1 }] });
});

test('loses no valid line after many invalid lines with open strings', () => {
  const { points, errors: found } = decode(`${'m"x a="\n'.repeat(101)}ok f=1\nok f=2`);
  // Each string ends at the quote of the next line, so two lines are one error. The last string has no end.
  expect([points.length, found.length]).toEqual([2, 51]);
});

test.each([
  ['lines that end after two backslashes', 'a\\\\\n', 1],
  ['a series without an end', 'a,b=c\\\n', 0],
  ['an error before a string', 'm v=NaN,s="\n', 0.5],
  // Each string ends at the quote in the name of the next line.
  ['strings and quotes in names', 'm"x a="\n', 0.5],
  ['strings and quotes in names, with CRLF', 'm"x a="\r\n', 0.5],
  ['strings and quotes in names, with backslashes', 'm"x a="\\\\\n', 0.5],
  ['strings and quotes in tags', 'm,t"=" a="\n', 0.5],
  ['strings, quotes in names and valid lines', 'm"x a="\nok,t=a v=1 1\nok,t=b v=1,s="c" 1\n', 1],
])('needs time linear in the input: %s', (_, text, errorsPerLine) => {
  // Quadratic scanning would take a hundred times as long for ten times the input.
  const decodeAll = (lines: number) => (): void =>
    expect(decode(text.repeat(lines)).errors).toHaveLength(Math.max(1, lines * errorsPerLine));
  decodeAll(20_000)();
  expect(cpuMilliseconds(decodeAll(200_000))).toBeLessThan(40 * Math.max(10, cpuMilliseconds(decodeAll(20_000))));
});
