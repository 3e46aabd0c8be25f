/** Measurements, tags and field keys that mappings name: from columns, constants and the texts of other columns. */
import { parseMappings } from 'shared/datasets/mapping';
import { suppliedColumns } from 'shared/datasets/partitions';
import { DistinctCounter } from 'shared/points/hyperloglog';
import { rowsWith } from 'shared/points/report';
import { parquetOf } from '../../support/loader';
import { collect, memorySource, testReader } from '../../support/parquet';

const reader = testReader();

async function load(select: string, members: object, key = 'in/f.parquet') {
  const json = { name: 'x', measurement: 'm', time: { column: 't' }, tags: {}, ...members };
  const [mapping] = parseMappings(JSON.stringify(json));
  if (!mapping) throw new Error('no mapping');
  const file = memorySource(
    new Uint8Array(await parquetOf(`SELECT make_timestamp(i * 1000000) AS t, * EXCLUDE (i) FROM (${select})`)),
  );
  const partitions = suppliedColumns(key, mapping);
  const { lines, report } = await collect(reader, file, mapping, { validateSchema: true, partitions });
  const invalid = report.invalid.map(({ reason, column, examples }) => [
    reason,
    column,
    examples.map(({ row }) => row),
  ]);
  return { lines: lines.map((line) => line.replace(/ \d+$/, '')), invalid, report };
}

const fields = [{ column: 'v', type: 'integer' }];

describe('the measurement', () => {
  test('is the text of a column; a row without one, or with one that InfluxDB cannot store, is invalid', async () => {
    const select = `SELECT * FROM (VALUES (1, 'a b', 1), (2, NULL, 2), (3, '_x', 3), (4, '#x', 4), (5, ' c ', 5), (6, 'd\\', 6)) r(i, what, v)`;
    const { lines, invalid } = await load(select, { measurement: { column: 'what' }, fields });
    expect(lines).toEqual(['a\\ b v=1i', 'c v=5i']);
    expect(invalid).toEqual([
      ['missing', 'what', [1]],
      ['not-a-name', 'what', [2, 3, 5]],
    ]);
  });

  test('is a part of the path', async () => {
    const members = { path: 'exports/{database}/{table}/**', measurement: { column: 'table' }, fields };
    const tags = { optional: [{ column: 'database', name: 'db' }] };
    const { lines } = await load('SELECT 1 AS i, 7 AS v', { ...members, tags }, 'exports/prod/cpu/0.parquet');
    expect(lines).toEqual(['cpu,db=prod v=7i']);
  });
});

test('tags are renamed, constant, by pattern and encoded, and are sorted by their keys', async () => {
  const select = `SELECT 1 AS i, 'n' AS "Region Name", 'h' AS tag_z, 'x' AS tag_b, '\\x01\\xFF'::BLOB AS id, 7 AS v`;
  const tags = {
    required: [{ column: 'Region Name', name: 'region' }],
    optional: [
      { columns: 'tag_*', except: ['tag_z'] },
      { column: 'id', encoding: 'hex' },
    ],
    constant: { site: 'north 1', a: 'first' },
  };
  const { lines } = await load(select, { tags, fields });
  expect(lines).toEqual(['m,a=first,id=01ff,region=n,site=north\\ 1,tag_b=x v=7i']);
});

test('a tag, a field or a measured name may have the name of a member of every object', async () => {
  const tags = { required: ['constructor'] };
  const names = ['toString', 'valueOf'];
  const select = `SELECT 1 AS i, 'ferrari' AS "constructor", 'hasOwnProperty' AS what, 7 AS "toString", 8 AS "valueOf"`;
  const typed = [
    { column: names[0], type: 'integer' },
    { column: names[1], type: 'integer', named: { by: 'what' } },
  ];
  const { lines, report } = await load(select, { tags, fields: typed });
  expect(lines).toEqual(['m,constructor=ferrari toString=7i,hasOwnProperty=8i']);
  expect(report.present).toMatchObject({ constructor: 1, toString: 1 });
  expect(names.map((name) => rowsWith(name, { present: {} }))).toEqual([0, 0]);
});

test('encoded bytes are tags whatever their text', async () => {
  const select = `SELECT unnest([1, 2, 3]) AS i, unnest(['\\x9E\\xE9\\x65'::BLOB, ''::BLOB, NULL]) AS id, 7 AS v`;
  const tags = { optional: [{ column: 'id', encoding: 'base64' }] };
  const { lines, report } = await load(select, { tags, fields });
  expect(lines).toEqual(['m,id=null v=7i', 'm v=7i', 'm v=7i']);
  expect(DistinctCounter.fromBytes(report.series.tags[0]?.values ?? new Uint8Array()).count()).toBe(1);
});

test('columns are counted only if a point has them', async () => {
  const select = `SELECT * FROM (VALUES (1, 1, NULL), (2, NULL, 2)) r(i, early, late)`;
  const typed = [
    { column: 'early', type: 'integer' },
    { column: 'late', type: 'integer', required: true },
  ];
  const { lines, report } = await load(select, { fields: typed });
  expect(lines).toEqual(['m late=2i']);
  expect(report.series.measurements.map(({ columns }) => columns)).toEqual([[['late', 'integer']]]);
});

test('columns of the path are typed fields and timestamps of every row', async () => {
  const path = '{n}/{day}/{name}/*';
  const typed = [
    { column: 'n', type: 'integer', required: true },
    { column: 'day', type: 'timestamp', as: 's' },
    { column: 'name', type: 'string' },
    ...fields,
  ];
  const { lines } = await load('SELECT unnest([1, 2]) AS i, 7 AS v', { path, fields: typed }, '-5/1970-01-02/a"b/f');
  expect(lines).toEqual(Array(2).fill('m n=-5i,day=86400i,name="a\\"b",v=7i'));
  await expect(load('SELECT 1 AS i, 7 AS v', { path, fields: typed }, 'x/1970-01-02/a/f')).rejects.toThrow(
    'column n is not an integer: the path says "x"',
  );
});

describe('fields that the text of a column names', () => {
  const named = { by: 'measure_name' };
  const pivots = [
    { column: 'd', type: 'float', named },
    { column: 'b', type: 'integer', named },
    { column: 's', type: 'string', named },
    { column: 'own', type: 'integer' },
  ];
  const rowsOf = (...rows: string[]) =>
    `SELECT * FROM (VALUES ${rows.map((row, index) => `(${index + 1}, ${row})`).join()}) r(i, measure_name, d, b, s, own)`;

  test('have the trimmed text itself as their key, and the type of the column with the value', async () => {
    const select = rowsOf(
      `'cpu,1', 0.5::DOUBLE, NULL::BIGINT, NULL, NULL::INTEGER`,
      `' state ', NULL, NULL, 'up', 1`,
      `'n', NULL, 9007199254740993, NULL, NULL`,
    );
    expect((await load(select, { fields: pivots })).lines).toEqual([
      'm cpu\\,1=0.5',
      'm state="up",own=1i',
      'm n=9007199254740993i',
    ]);
  });

  test('make a row invalid if two of them, a field or a tag have one name, and never lose a value silently', async () => {
    const select = rowsOf(
      `'cpu', 0.5::DOUBLE, 1::BIGINT, NULL, NULL::INTEGER`,
      `'own', NULL, 2, NULL, 3`,
      `'own', NULL, 2, NULL, NULL`,
      `'site', NULL, NULL, 'x', NULL`,
      `'cpu', NULL, NULL, NULL, NULL`,
    );
    const { lines, invalid } = await load(select, { fields: pivots, tags: { constant: { site: 'n' } } });
    expect(lines).toEqual(['m,site=n own=2i']);
    expect(invalid).toEqual([
      ['name-taken', 'b', [0]],
      ['name-taken', 'own', [1]],
      ['name-taken', 's', [3]],
      ['no-fields', 'd', [4]],
    ]);
  });

  test('make a row invalid if it has a value but no text, or a text that cannot be a key', async () => {
    const select = rowsOf(
      `NULL, 0.5::DOUBLE, NULL::BIGINT, NULL, NULL::INTEGER`,
      `'time', 0.5, NULL, NULL, NULL`,
      `'_x', NULL, NULL, 'a', NULL`,
      `NULL, NULL, NULL, NULL, 4`,
    );
    const { lines, invalid } = await load(select, { fields: pivots });
    expect(lines).toEqual(['m own=4i']);
    expect(invalid).toEqual([
      ['missing', 'measure_name', [0]],
      ['not-a-name', 'measure_name', [1, 2]],
    ]);
  });

  test('may have other names for some texts, and may be text fields', async () => {
    const select = rowsOf(
      `'a', NULL::DOUBLE, NULL::BIGINT, 'x', NULL::INTEGER`,
      `'b', NULL, NULL, 'y', NULL`,
      `'b', 1.5, NULL, 'y', NULL`,
    );
    const text = [
      { column: 's', type: 'text', named: { ...named, names: { a: 'alpha' } } },
      { column: 'd', type: 'float', named },
    ];
    const { lines, invalid } = await load(select, { fields: text });
    expect(lines).toEqual(['m alpha="x"', 'm b="y"']);
    expect(invalid).toEqual([['name-taken', 'd', [2]]]);
  });
});
