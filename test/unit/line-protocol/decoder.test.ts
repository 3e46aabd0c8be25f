/** The grammar by hand-made lines: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
import { decodePoints, type FieldValue } from 'shared/line-protocol/point';
import { type Precision, V1_PRECISIONS } from 'shared/line-protocol/precision';
import { cpuMilliseconds } from '../../cpu-time';

const decode = (text: string | Buffer, precision?: Precision) => decodePoints(Buffer.from(text), 7n, precision);
const field = (value: string): FieldValue | undefined => decode(`m f=${value} 1`).points[0]?.fields[0][1];
const faults = (text: string | Buffer) => decode(text).faults.map(({ line, reason }) => `${line}|${reason}`);

test('reads measurement, tags sorted by key, fields in order and the time', () => {
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
  const { points, faults } = decode(`m f=${text} 1`);
  expect([points.length, faults.length]).toEqual([0, 1]);
});

test('unescapes per section and keeps other backslashes', () => {
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
  expect(decode(`m f=1 ${digits}`, V1_PRECISIONS.get(unit)).faults).toHaveLength(1);
});

test('a missing timestamp is the default, cut to the precision', () => {
  expect(decodePoints(Buffer.from('m f=1'), 1_700_000_000_123_456_789n, V1_PRECISIONS.get('s')).points[0].time).toBe(
    1_700_000_000_000_000_000n,
  );
});

test('takes LF, CRLF, blank lines, comments and indentation', () => {
  expect(decode('# c\r\n\n  m f=1 1\r\n   # d\n\r\nn f=2 2 \r').points.map((p) => p.measurement)).toEqual(['m', 'n']);
});

test('names line and column of each faulty line and goes on behind it', () => {
  const text = ['ok f=1', 'm,t f=1', 'ok f="a\nb"', '  m f=1,', 'm f="x" y', 'ok f=1'].join('\n');
  const { points } = decode(text);
  expect(points).toHaveLength(3);
  expect(faults(text)).toEqual([
    "2|at line 2:4: expected '=' after the tag key",
    '5|at line 5:9: expected a field key',
    '6|at line 6:9: invalid timestamp',
  ]);
});

test('a string that is never closed costs its own line only', () => {
  expect(decode('bad s="open\ngood f=1 1\n').points.map((p) => p.measurement)).toEqual(['good']);
  expect(faults('bad s="open\ngood f=1 1\n')).toEqual([
    '1|at line 1:7: expected a closing quote, found the end of the input',
  ]);
});

test('a fault behind a newline inside a string is placed on its own line', () => {
  expect(faults('m s="a\nb"x 1\nok f=1')).toEqual(['1|at line 2:3: unexpected character after the field']);
});

test("refuses the comma before the timestamp of the original connector's example", () => {
  expect(faults('cpu_load_short,host=server01,region=us-west value=0.64,average=1.24, 1725059274')).toEqual([
    '1|at line 1:69: expected a field key',
  ]);
});

test.each(['m,a=1,a=2 f=1', 'm,a=\\=,b=1,a=\\= f=1'])('refuses duplicate tag keys: %s', (line) => {
  expect(faults(line)[0]).toMatch(/duplicate tag key 'a'/);
});

test.each([
  Buffer.from([0x6d, 0xff, 0x20, 0x66, 0x3d, 0x31]),
  Buffer.concat([Buffer.from('m,t'), Buffer.from([0xc3]), Buffer.from('=1 f=1')]),
  Buffer.concat([Buffer.from('m f="'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"')]),
])('refuses invalid UTF-8 in a line and takes the next one: %p', (line) => {
  const { points, faults } = decode(Buffer.concat([line, Buffer.from('\nok f=1')]));
  expect([points.map((p) => p.measurement), faults.map((f) => f.line)]).toEqual([['ok'], [1]]);
});

test('time is linear in the input where a line has no end of its series', () => {
  // Quadratic scanning would take a hundred times as long for ten times the input.
  const faulty = (lines: number) => (): void => expect(decode('a\\\n'.repeat(lines)).faults).toHaveLength(lines);
  faulty(20_000)();
  expect(cpuMilliseconds(faulty(200_000))).toBeLessThan(40 * Math.max(10, cpuMilliseconds(faulty(20_000))));
});
