/** Mappings made concrete: patterns, names, and columns that the path supplies. */
import { type DatasetMapping, parseMappings } from 'shared/datasets/mapping';
import { suppliedColumns } from 'shared/datasets/partitions';
import { resolveMapping } from 'shared/datasets/resolve';

const base = {
  name: 'plant',
  measurement: 'm',
  time: { column: 't' },
  tags: {},
  fields: [{ column: 'v', type: 'number' }] as object[],
};

function parsed(members: object): DatasetMapping {
  const [mapping] = parseMappings(JSON.stringify({ ...base, ...members }));
  if (!mapping) throw new Error('no mapping');
  return mapping;
}

describe('a mapping for a file', () => {
  const mapping = parsed({
    measurement: { column: 'table' },
    tags: {
      required: ['host', { column: 'Region Name', name: 'region' }],
      optional: [
        { columns: 'tag_*', except: ['tag_x*'] },
        { column: 'id', encoding: 'hex' },
      ],
      constant: { site: 'north' },
    },
    fields: [
      { columns: '*', except: ['_*'], type: 'string' },
      { column: 'v', type: 'integer', name: 'v2', required: true },
      { columns: 'sensor_*', type: 'float' },
      { column: 'value', type: 'float', named: { by: 'what' } },
    ],
  });
  const columns = ['t', 'host', 'tag_a', 'tag_x1', 'sensor_1', 'v', 'what', '_ignored', 'note'];
  const concrete = resolveMapping(mapping, columns);

  test('has its tags by name, those of patterns in the order of the file, and renamed ones', () => {
    expect(concrete.tags.map(({ column, key, required }) => [column, key, required])).toEqual([
      ['host', 'host', true],
      ['Region Name', 'region', true],
      ['tag_a', 'tag_a', false],
      ['id', 'id', false],
    ]);
    expect(concrete.tags.at(-1)?.encoding).toBe('hex');
    expect(concrete.constantTags).toEqual({ site: 'north' });
  });

  test('uses each column once: named entries first, then tags by pattern, then fields by pattern in order', () => {
    expect(concrete.fields.map(({ column, key, type, required }) => [column, key, type, required])).toEqual([
      ['tag_x1', 'tag_x1', 'string', false],
      ['sensor_1', 'sensor_1', 'string', false],
      ['note', 'note', 'string', false],
      ['v', 'v2', 'integer', true],
      ['value', 'value', 'float', false],
    ]);
  });

  test('lists the columns that a file must have, and all that it reads', () => {
    expect(concrete.required).toEqual(['t', 'table', 'host', 'Region Name', 'v']);
    expect(concrete.columns).toEqual([
      ...concrete.required,
      ...['tag_a', 'id', 'tag_x1', 'sensor_1', 'note', 'value', 'what'],
    ]);
  });

  test.each([
    [['t', 'tag_a', 'region', 'table'], 'a tag and a field would be named region'],
    [['t', 'site'], 'a tag and a field would be named site'],
    [['t', 'v2'], 'two fields would be named v2'],
    [['t', 'time'], 'InfluxDB cannot store the name time'],
  ])('is refused if a pattern finds a name that is taken or reserved: %j', (names, problem) => {
    expect(() => resolveMapping(mapping, names, 'f.parquet')).toThrow(`f.parquet: ${problem}`);
  });
});

describe('the path of a mapping', () => {
  const columnsOf = (path: string, key: string) => Object.fromEntries(suppliedColumns(key, { ...parsed({}), path }));

  test.each([
    ['exports/{database}/{table}/**', 'exports/db/cpu/2024/1.parquet', { database: 'db', table: 'cpu' }],
    ['{table}/*.parquet', '/data/a b/cpu/1.parquet', { table: 'cpu' }],
    ['{table}_{day}.parquet', 'in/cpu_2024-01-01.parquet', { table: 'cpu', day: '2024-01-01' }],
    ['in/**/{table}.parquet', 'in/cpu.parquet', { table: 'cpu' }],
    ['in/**/{table}.parquet', 'in/a/b/cpu.parquet', { table: 'cpu' }],
    ['{table}/**', 'table=x/year=2024/1.parquet', { table: 'table=x', year: '2024' }],
    ['{table}/*', 'a%20b/1.parquet', { table: 'a b' }],
    ['{table}/*', '__HIVE_DEFAULT_PARTITION__/1.parquet', { table: null }],
    ['a.b/{x}', 'a.b/y', { x: 'y' }],
  ])('%s supplies the columns of %s', (pattern, key, expected) => {
    expect(columnsOf(pattern, key)).toEqual(expected);
  });

  test.each([
    ['exports/{table}/**', 'exports/1.parquet'],
    ['a.b/{x}', 'aXb/y'],
    ['{table}/*.parquet', 'cpu.parquet'],
  ])('%s does not match %s, which is an error', (pattern, key) => {
    expect(() => columnsOf(pattern, key)).toThrow('does not match `path` of the mapping "plant"');
  });
});

describe('mappings with problems', () => {
  test.each([
    [{ path: 'a/{x}/{x}' }, 'mappings[0].path: two parts have the same name'],
    [{ path: 'a/{x' }, 'mappings[0].path: a brace without its partner'],
    [{ path: 'a/{x/y}' }, 'mappings[0].path: the name of a part may not have a /'],
    [{ path: '/a' }, 'mappings[0].path: may not begin or end with /'],
    [{ path: 'a/b**' }, 'mappings[0].path: ** stands for whole folders'],
    [{ measurement: { colum: 'x' } }, 'mappings[0].measurement'],
    [{ measurement: 'a\\' }, 'mappings[0].measurement: may not begin with _ or #, nor end in a backslash'],
    [{ fields: [{ columns: 's_*', type: 'real' }] }, 'mappings[0].fields[0].type: Invalid option'],
    [{ fields: [{ columns: 's_*', type: 'float', name: 'x' }] }, 'mappings[0].fields[0]: Unrecognized key: "name"'],
    [{ fields: [{ column: 'v', type: 'integer', unit: 'ms' }] }, 'mappings[0].fields.v: only a timestamp has `unit`'],
    [
      { fields: [{ column: 'v', type: 'text', encoding: 'hex' }] },
      'mappings[0].fields.v: only a string has an `encoding`',
    ],
    [{ tags: { optional: [{ column: '_id' }] } }, 'mappings[0].tags._id: InfluxDB reserves this name: give `name`'],
    [{ tags: { constant: { time: 'x' } } }, 'mappings[0].tags.constant.time: InfluxDB reserves this name'],
    [{ tags: { required: ['a'], constant: { a: 'x' } } }, 'mappings[0].tags: named twice: a'],
    [{ tags: { constant: { v: 'x' } } }, 'a tag and a field have the same name: v'],
  ])('are refused with the position of the problem: %j', (members, problem) => {
    expect(() => parsed(members)).toThrow(problem);
  });

  test('are not the pivots that Timestream exports: several fields named by any text of one column', () => {
    const named = { by: 'measure_name' };
    const fields = ['double', 'bigint'].map((type) => ({
      ...{ column: `measure_value::${type}`, type: type === 'double' ? 'float' : 'integer', named },
    }));
    expect(parsed({ fields }).fields).toHaveLength(2);
    const own = { column: 'other', name: 'measure_value::double', type: 'float' };
    expect(parsed({ fields: [...fields, own] }).fields).toHaveLength(3);
  });
});
