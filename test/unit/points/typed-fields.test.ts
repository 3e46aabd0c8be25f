/** Typed fields of columns of every type, in files that DuckDB wrote. Expected values are by hand. */
import { parseMappings } from 'shared/datasets/mapping';
import { BatchBuffer } from 'shared/points/batch-buffer';
import { parquetOf } from '../../support/loader';
import { collect, memorySource, testReader } from '../../support/parquet';

const reader = testReader();

/** The fields of a point, or the reason why its row is invalid. */
async function fieldsOf(
  values: readonly string[],
  field: object,
  { required = true, members = {} }: { required?: boolean; members?: object } = {},
) {
  const cells = values.map((sql, row) => `(${row + 1}, ${sql})`).join();
  const select = `SELECT make_timestamp(i * 1000000) AS t, c FROM (VALUES ${cells}) AS r(i, c)`;
  const [mapping] = parseMappings(
    JSON.stringify({
      name: 'x',
      measurement: 'm',
      time: { column: 't' },
      tags: {},
      fields: [{ column: 'c', required, ...field }],
      ...members,
    }),
  );
  const file = memorySource(new Uint8Array(await parquetOf(select)));
  const { lines, report } = await collect(reader, file, mapping, { validateSchema: true });
  const points = lines.map((line) => [Number(line.slice(line.lastIndexOf(' ') + 1)) / 1e9, line.slice(2)] as const);
  const reasons = report.invalid.flatMap(({ reason, examples }) =>
    examples.map(({ row }) => [row + 1, reason] as const),
  );
  return {
    results: [...points, ...reasons].sort(([a], [b]) => a - b).map(([, text]) => String(text).replace(/ \d+$/, '')),
    report,
  };
}

const MIN = '(-9223372036854775808)::BIGINT';
const MAX = '9223372036854775807::BIGINT';
const U_MAX = '18446744073709551615::UBIGINT';

describe('an integer field', () => {
  test.each([
    ['BIGINT', [MIN, '0::BIGINT', MAX], ['c=-9223372036854775808i', 'c=0i', 'c=9223372036854775807i']],
    ['BIGINT beside 2^53', ['9007199254740993::BIGINT', '(-1)::BIGINT'], ['c=9007199254740993i', 'c=-1i']],
    [
      'UBIGINT',
      ['9223372036854775807::UBIGINT', '9223372036854775808::UBIGINT', U_MAX],
      ['c=9223372036854775807i', 'out-of-range', 'out-of-range'],
    ],
    ['TINYINT', ['(-128)::TINYINT', '127::TINYINT'], ['c=-128i', 'c=127i']],
    ['UINTEGER', ['4294967295::UINTEGER'], ['c=4294967295i']],
    [
      'DOUBLE',
      [
        '1e15::DOUBLE',
        '(-2)::DOUBLE',
        '0.5::DOUBLE',
        '1e19::DOUBLE',
        "'nan'::DOUBLE",
        "'inf'::DOUBLE",
        '9007199254740994::DOUBLE',
      ],
      ['c=1000000000000000i', 'c=-2i', 'not-an-integer', 'out-of-range', 'nan', 'infinite', 'c=9007199254740994i'],
    ],
    [
      'DECIMAL(38, 2)',
      [
        "'9223372036854775807.00'::DECIMAL(38, 2)",
        "'9223372036854775808.00'::DECIMAL(38, 2)",
        "'1.50'::DECIMAL(38, 2)",
        "'-12.00'::DECIMAL(38, 2)",
      ],
      ['c=9223372036854775807i', 'out-of-range', 'not-an-integer', 'c=-12i'],
    ],
    ['DECIMAL(9, 3)', ['12.000::DECIMAL(9, 3)', '12.001::DECIMAL(9, 3)'], ['c=12i', 'not-an-integer']],
    [
      'VARCHAR',
      [
        "'9223372036854775807'",
        "' -5 '",
        "'1e3'",
        "'1.0'",
        "'1.5'",
        "'9223372036854775808'",
        "'x'",
        "'1e400'",
        "'0e999'",
        "'12e-1'",
        "'120e-1'",
      ],
      [
        'c=9223372036854775807i',
        'c=-5i',
        'c=1000i',
        'c=1i',
        'not-an-integer',
        'out-of-range',
        'unreadable',
        'out-of-range',
        'c=0i',
        'not-an-integer',
        'c=12i',
      ],
    ],
    ['BOOLEAN', ['true', 'false'], ['c=1i', 'c=0i']],
  ])('of a column %s is exact or refused', async (_, values, expected) => {
    expect((await fieldsOf(values, { type: 'integer' })).results).toEqual(expected);
  });
});

describe('an unsigned field', () => {
  test.each([
    [
      'UBIGINT',
      ['0::UBIGINT', '9223372036854775808::UBIGINT', U_MAX],
      ['c=0u', 'c=9223372036854775808u', 'c=18446744073709551615u'],
    ],
    ['BIGINT', [MIN, '(-1)::BIGINT', MAX], ['out-of-range', 'out-of-range', 'c=9223372036854775807u']],
    [
      'DOUBLE',
      ['18446744073709549568::DOUBLE', '18446744073709551616::DOUBLE', '(-0.0)::DOUBLE'],
      ['c=18446744073709549568u', 'out-of-range', 'c=0u'],
    ],
    [
      'VARCHAR',
      [`'18446744073709551615'`, `'18446744073709551616'`, `'-1'`],
      ['c=18446744073709551615u', 'out-of-range', 'out-of-range'],
    ],
  ])('of a column %s is exact or refused', async (_, values, expected) => {
    expect((await fieldsOf(values, { type: 'unsigned' })).results).toEqual(expected);
  });
});

describe('a float field', () => {
  test.each([
    [
      'BIGINT',
      ['9007199254740992::BIGINT', '9007199254740993::BIGINT', MIN, MAX],
      ['c=9007199254740992', 'inexact', 'c=-9223372036854776000', 'inexact'],
    ],
    ['UBIGINT', [U_MAX, '9223372036854775808::UBIGINT'], ['inexact', 'c=9223372036854776000']],
    ['FLOAT', ['0.1::FLOAT'], ['c=0.1']],
    ['DECIMAL(20, 3)', ["'1.005'::DECIMAL(20, 3)"], ['c=1.005']],
  ])('of a column %s is the same number, or the nearest of a decimal', async (_, values, expected) => {
    expect((await fieldsOf(values, { type: 'float' })).results).toEqual(expected);
  });
});

test.each([
  ['BOOLEAN', ['true', 'false'], ['c=true', 'c=false']],
  ['INTEGER', ['1', '0', '2'], ['c=true', 'c=false', 'out-of-range']],
  ['VARCHAR', ["'TRUE'", "'f'", "'yes'", "' '"], ['c=true', 'c=false', 'unreadable', 'missing']],
])('a boolean field of a column %s is true or false', async (_, values, expected) => {
  expect((await fieldsOf(values, { type: 'boolean' })).results).toEqual(expected);
});

describe('a timestamp field', () => {
  const at = "'2024-03-01 09:30:00.123456'::TIMESTAMP";
  test.each([
    ['TIMESTAMP', [at], {}, ['c=1709285400123456000i']],
    ['TIMESTAMP', [at], { as: 'us' }, ['c=1709285400123456i']],
    ['TIMESTAMP', [at, "'2024-03-01 09:30:00'::TIMESTAMP"], { as: 's' }, ['inexact', 'c=1709285400i']],
    [
      'TIMESTAMP',
      [at, "'1969-12-31 23:59:59.5'::TIMESTAMP", "'9999-12-31 00:00:00'::TIMESTAMP", "'0001-01-01'::TIMESTAMP"],
      { as: 'rfc3339' },
      [
        'c="2024-03-01T09:30:00.123456Z"',
        'c="1969-12-31T23:59:59.5Z"',
        'c="9999-12-31T00:00:00Z"',
        'c="0001-01-01T00:00:00Z"',
      ],
    ],
    ['TIMESTAMP', ["'9999-12-31'::TIMESTAMP"], { as: 'ms' }, ['c=253402214400000i']],
    ['TIMESTAMP', ["'9999-12-31'::TIMESTAMP"], {}, ['out-of-range']],
    ['TIMESTAMP_NS', ['make_timestamp_ns(9223372036854775806)'], {}, ['c=9223372036854775806i']],
    ['TIMESTAMPTZ', ["'2024-03-01 09:30:00+02'::TIMESTAMPTZ"], { as: 'ms', zone: 'Asia/Tokyo' }, ['c=1709278200000i']],
    [
      'TIMESTAMP',
      ["'2024-03-01 09:30:00'::TIMESTAMP"],
      { as: 'rfc3339', zone: 'Asia/Tokyo' },
      ['c="2024-03-01T00:30:00Z"'],
    ],
    ['DATE', ["DATE '1969-12-31'"], { as: 's' }, ['c=-86400i']],
    ['BIGINT', ['1709285400123::BIGINT'], { unit: 'ms', as: 'rfc3339' }, ['c="2024-03-01T09:30:00.123Z"']],
    [
      'VARCHAR',
      ["'2024-03-01T09:30:00.5+02:00'", "'soon'"],
      { as: 'rfc3339' },
      ['c="2024-03-01T07:30:00.5Z"', 'unreadable'],
    ],
  ])('of a column %s %j %j is exact in its unit', async (_, values, options, expected) => {
    expect((await fieldsOf(values, { type: 'timestamp', ...options })).results).toEqual(expected);
  });

  test('of integers needs a unit', async () => {
    await expect(fieldsOf(['1::BIGINT'], { type: 'timestamp' })).rejects.toThrow(
      'column c is of integers, and the mapping names no unit for them (`unit` of the field: s, ms, us or ns)',
    );
  });
});

describe('a string field', () => {
  test.each([
    [
      'VARCHAR',
      [`'a"b\\c'`, `'çà 😀 "'`, "''", "'four'", "'1234\"'"],
      {},
      ['c="a\\"b\\\\c"', 'c="çà 😀 \\""', 'c=""', 'c="four"', 'c="1234\\""'],
    ],
    ['BIGINT', [MIN], {}, ['c="-9223372036854775808"']],
    ['DECIMAL(38, 10)', ["'-0.1'::DECIMAL(38, 10)"], {}, ['c="-0.1000000000"']],
    ['BOOLEAN', ['true'], {}, ['c="true"']],
    ['DOUBLE', ['0.1::DOUBLE'], {}, ['c="0.1"']],
    ['DATE', ["DATE '2024-03-01'"], {}, ['c="2024-03-01"']],
    ['TIME', ["TIME '12:00:00.5'"], {}, ['c="12:00:00.5"']],
    ['UUID', ["'123e4567-e89b-12d3-a456-426614174000'::UUID"], {}, ['c="123e4567-e89b-12d3-a456-426614174000"']],
    [
      'UUID in hex',
      ["'123e4567-e89b-12d3-a456-426614174000'::UUID"],
      { encoding: 'hex' },
      ['c="123e4567e89b12d3a456426614174000"'],
    ],
    ['BLOB', ["'\\xFF\\x00\\x22'::BLOB"], { encoding: 'hex' }, ['c="ff0022"']],
    ['BLOB', ["'\\xFF\\x00\\x22'::BLOB"], { encoding: 'base64' }, ['c="/wAi"']],
    ['BLOB that is not text', ["'\\xFF'::BLOB", "'ok'::BLOB"], {}, ['unreadable', 'c="ok"']],
    [
      'BLOB with a character in two values',
      ["'a\\xC3'::BLOB", "'\\xA9b'::BLOB", "'\\xC3\\xA9'::BLOB", "'\\xC3'::BLOB", "''::BLOB", "'\\xA9'::BLOB"],
      {},
      ['unreadable', 'unreadable', 'c="é"', 'unreadable', 'c=""', 'unreadable'],
    ],
  ])('of a column %s %j %j has every digit and byte', async (_, values, options, expected) => {
    expect((await fieldsOf(values, { type: 'string', ...options })).results).toEqual(expected);
  });

  test('leaves small buffers behind after a long one', () => {
    const buffers: number[] = [];
    const buffer = new BatchBuffer({ lines: 1, bytes: 1 }, (chunk) => buffers.push(chunk.buffer.byteLength));
    for (const size of [20_000_000, ...Array<number>(4).fill(800_000)]) {
      buffer.room(size);
      buffer.endLine(buffer.position + size);
    }
    buffer.flush();
    expect(Math.max(...buffers)).toBeGreaterThanOrEqual(20_000_000);
    expect(Math.max(...buffers.slice(1))).toBeLessThan(3_000_000);
  });

  test('is never cut, however long', async () => {
    const { results } = await fieldsOf(["repeat('a\"', 1500000)", "'b'"], { type: 'string' });
    expect(results).toEqual([`c="${'a\\"'.repeat(1_500_000)}"`, 'c="b"']);
  });
});

test('a long text of zeros, spaces or backslashes takes no longer than others', async () => {
  const size = 300_000;
  const integer = await fieldsOf([`'1' || repeat('0', ${size}) || '1'`, `'7.' || repeat('0', ${size})`], {
    type: 'integer',
  });
  expect(integer.results).toEqual(['out-of-range', 'c=7i']);
  const members = { tags: { optional: ['c'] } };
  const text = `'a' || repeat(' ', ${size}) || repeat('\\', ${size}) || 'b'`;
  const tagged = await fieldsOf([text], { type: 'string', name: 'f' }, { members });
  expect(tagged.report.points).toBe(1);
});

describe('a column of a type that cannot be the field', () => {
  test.each([
    ['integer', "DATE '2024-03-01'", 'column c is not an integer (it is INT32 DATE)'],
    ['float', "'123e4567-e89b-12d3-a456-426614174000'::UUID", 'column c is not a number'],
    ['boolean', '1.5::DOUBLE', 'column c is not a boolean (it is DOUBLE)'],
    ['timestamp', "TIME '12:00:00'", 'column c is not a time'],
    ['string', '[1, 2]', 'column c is a LIST'],
  ])('%s of %s is refused with its name', async (type, sql, problem) => {
    await expect(fieldsOf([sql], { type })).rejects.toThrow(problem);
  });

  test('is refused for an encoding', async () => {
    await expect(fieldsOf(['1'], { type: 'string', encoding: 'hex' })).rejects.toThrow(
      'column c is not a column of bytes',
    );
  });
});

test('an optional value that does not fit is left out, with the reason in a warning', async () => {
  const { results, report } = await fieldsOf(
    ['0.5::DOUBLE', '1e30::DOUBLE', '7::DOUBLE', 'NULL'],
    { type: 'integer' },
    { required: false },
  );
  expect(results).toEqual(['no-fields', 'no-fields', 'c=7i', 'no-fields']);
  expect(report.warnings).toEqual([
    { kind: 'left-out', column: 'c', value: 'out-of-range', count: 1, example: { row: 1, value: '1e+30' } },
    { kind: 'left-out', column: 'c', value: 'not-an-integer', count: 1, example: { row: 0, value: '0.5' } },
  ]);
});

test('an optional number that is NaN, infinite or no number is left out, each reason with its first row', async () => {
  const cells = ["'nan'", "'1'", "'inf'", "'x'", "'y'"];
  const { report } = await fieldsOf(cells, { type: 'float' }, { required: false });
  expect(report.warnings).toEqual([
    { kind: 'left-out', column: 'c', value: 'nan', count: 1, example: { row: 0, value: 'nan' } },
    { kind: 'left-out', column: 'c', value: 'infinite', count: 1, example: { row: 2, value: 'inf' } },
    { kind: 'left-out', column: 'c', value: 'unreadable', count: 2, example: { row: 3, value: 'x' } },
  ]);
});

test('a range of a typed number is checked', async () => {
  const members = { checks: { ranges: { c: { max: 5 } } } };
  const { report } = await fieldsOf(['5::BIGINT', '6::BIGINT', MAX], { type: 'integer' }, { members });
  expect(report.warnings).toEqual([{ kind: 'out-of-range', column: 'c', count: 2 }]);
});

test('counts tags with characters that line protocol cannot hold, with and without trimming', async () => {
  const cells = ["'a' || chr(10) || 'b'", "'a\\nb'", "'a '", "'a\\'", "'c' || chr(9)"];
  for (const verbatim of [false, true]) {
    const members = { tags: { optional: ['c'], verbatim }, fields: [{ column: 't', type: 'timestamp', as: 's' }] };
    const { results, report } = await fieldsOf(cells, {}, { members });
    expect(results.map((line) => line.slice(0, line.lastIndexOf(' t=')))).toEqual(
      verbatim ? ['c=a\\nb', 'c=a\\nb', 'c=a\\ ', 'c=a', 'c=c\\t'] : ['c=a\\nb', 'c=a\\nb', 'c=a', 'c=a', 'c=c'],
    );
    const changed = report.warnings.map(({ kind, value, count }) => [kind, value, count]);
    expect(changed).toEqual([
      ['control-character', 'a\nb', 1],
      ['trailing-backslash', 'a\\', 1],
      ...(verbatim ? [['control-character', 'c\t', 1]] : []),
    ]);
  }
});

test('warns of a unit for a column without integers', async () => {
  const field = { type: 'timestamp', unit: 'ms', as: 's' };
  const members = { time: { column: 't', unit: 'ms' } };
  const found = async (sql: string) =>
    (await fieldsOf([sql], field, { members })).report.warnings.map(({ kind, column }) => `${kind} ${column}`);
  expect(await found('5000::BIGINT')).toEqual(['unit-ignored t']);
  expect(await found("'2024-01-01T00:00:00Z'")).toEqual(['unit-ignored t', 'unit-ignored c']);
});
