/** The mapping of a table, from the columns of its export and the options. */
import { exportMapping, unknownNames } from 'shared/exports/export-mapping';
import { acceptedMeasurement, acceptedName } from 'shared/exports/names';
import { type ExportOptions, exportOptionsSchema } from 'shared/exports/options';
import { tableOf } from 'shared/exports/table';

type Options = Parameters<typeof exportOptionsSchema.parse>[0];

const optionsOf = (options: Options = {}): ExportOptions => exportOptionsSchema.parse(options);
const columnsOf = (columns: Record<string, string>) => Object.entries(columns).map(([name, type]) => ({ name, type }));
const map = (
  columns: Record<string, string>,
  options: Options = {},
  { partitions = [] as string[], format = 'PARQUET' as 'PARQUET' | 'CSV', table = 'cpu' } = {},
) => exportMapping(table, { columns: columnsOf(columns), partitions: new Set(partitions), format }, optionsOf(options));

const MULTI = {
  region: 'VARCHAR',
  host: 'VARCHAR',
  measure_name: 'VARCHAR',
  time: 'TIMESTAMP',
  load: 'DOUBLE',
  count: 'BIGINT',
  up: 'BOOLEAN',
  note: 'VARCHAR',
  started: 'TIMESTAMP',
};
const SINGLE = {
  host: 'VARCHAR',
  measure_name: 'VARCHAR',
  time: 'TIMESTAMP',
  'measure_value::double': 'DOUBLE',
  'measure_value::bigint': 'BIGINT',
};

test('columns of text before measure_name are tags, all others are fields of their types', () => {
  const { mapping, leftOut } = map(MULTI);
  expect(mapping).toMatchObject({
    measurement: 'cpu',
    time: { column: 'time' },
    tags: { required: [], optional: ['region', 'host', 'measure_name'], verbatim: true },
    fields: [
      { column: 'load', type: 'float' },
      { column: 'count', type: 'integer' },
      { column: 'up', type: 'boolean' },
      { column: 'note', type: 'string' },
      { column: 'started', type: 'timestamp', as: 'ns' },
    ],
  });
  expect(leftOut).toEqual([]);
});

test('a dimension after the time is a tag if the options name the dimensions', () => {
  const columns = { measure_name: 'VARCHAR', time: 'TIMESTAMP', load: 'DOUBLE', host: 'VARCHAR' };
  expect(map(columns).mapping.tags.optional).toEqual(['measure_name']);
  const { tags, fields } = map(columns, { dimensions: ['host'] }).mapping;
  expect(tags.optional).toEqual(['measure_name', 'host']);
  expect(fields.map((field) => 'column' in field && field.column)).toEqual(['load']);
});

test('the order of tags is of no account: dimensions become fields by name', () => {
  const { tags, fields } = map(MULTI, { dimensionsToFields: ['host'], timestamps: 'rfc3339' }).mapping;
  expect(tags.optional).toEqual(['region', 'measure_name']);
  expect(fields).toContainEqual({ column: 'host', type: 'string' });
  expect(fields).toContainEqual({ column: 'started', type: 'timestamp', as: 'rfc3339' });
});

describe('measure_name', () => {
  test('drop expects one value in every row', () => {
    const { tags, fields, expect: expected } = map(MULTI, { measureName: 'drop', measureNameValue: 'cpu' }).mapping;
    expect(tags.optional).toEqual(['region', 'host']);
    expect(fields).toHaveLength(5);
    expect(expected).toEqual({ measure_name: 'cpu' });
    expect(map(MULTI, { measureName: 'drop' }).mapping.expect).toEqual({ measure_name: 'influxdb-measure' });
  });

  test('pivot names the fields of a single-measure table by it', () => {
    const { tags, fields } = map(SINGLE, { measureName: 'pivot' }).mapping;
    expect(tags.optional).toEqual(['host']);
    expect(fields).toEqual([
      { column: 'measure_value::double', type: 'float', named: { by: 'measure_name' } },
      { column: 'measure_value::bigint', type: 'integer', named: { by: 'measure_name' } },
    ]);
    expect(() => map(MULTI, { measureName: 'pivot' })).toThrow('cannot be pivoted. Use another measureName');
  });

  test('field makes it a field of text', () => {
    const { tags, fields } = map(MULTI, { measureName: 'field' }).mapping;
    expect(tags.optional).toEqual(['region', 'host']);
    expect(fields).toContainEqual({ column: 'measure_name', type: 'string' });
  });

  test('without it, the dimensions must be given', () => {
    const columns = { host: 'VARCHAR', time: 'TIMESTAMP', load: 'DOUBLE' };
    expect(() => map(columns)).toThrow('has no column measure_name');
    expect(map(columns, { dimensions: ['host'] }).mapping.tags.optional).toEqual(['host']);
  });
});

describe('columns that are left out', () => {
  const columns = { ...MULTI, time_ns: 'BIGINT', started_ns: 'BIGINT', other_ns: 'BIGINT', day: 'VARCHAR' };

  test('are partition columns, and integers that repeat a TIMESTAMP', () => {
    const { mapping, leftOut } = map(columns, {}, { partitions: ['day'] });
    expect(leftOut).toEqual(['time_ns', 'started_ns', 'day']);
    expect(mapping.fields).toContainEqual({ column: 'other_ns', type: 'integer' });
  });

  test('are loaded if the options name them', () => {
    const { mapping, leftOut } = map(
      columns,
      { dimensions: ['region', 'host', 'day'], rename: { started_ns: 'begun' } },
      { partitions: ['day'] },
    );
    expect(leftOut).toEqual(['time_ns']);
    expect(mapping.tags.optional).toContain('day');
    expect(mapping.fields).toContainEqual({ column: 'started_ns', type: 'integer', name: 'begun' });
  });
});

describe('names', () => {
  test.each([
    ['load', 'load'],
    ['measure_value::double', 'measure_value::double'],
    ['Time', 'Time'],
    ['time', 'time_'],
    ['_id', 'id_'],
    ['__field', 'field__'],
    ['_', 'column_'],
    ['dir\\', 'dir\\_'],
  ])('%s is stored as %s', (name, stored) => {
    expect(acceptedName(name)).toBe(stored);
  });

  test('a reserved name never takes the name of another column', () => {
    const { mapping } = map({
      _id: 'VARCHAR',
      id_: 'VARCHAR',
      measure_name: 'VARCHAR',
      time: 'TIMESTAMP',
      v: 'DOUBLE',
    });
    expect(mapping.tags.optional).toEqual([{ column: '_id', name: 'id__' }, 'id_', 'measure_name']);
  });

  test('columns that the write endpoint escaped get their names back', () => {
    const columns = {
      '_.a.3Ab': 'VARCHAR',
      '_._.2Ea.2E3Ab': 'VARCHAR',
      '_.other': 'VARCHAR',
      measure_name: 'VARCHAR',
      time: 'TIMESTAMP',
      '_.ts_x': 'DOUBLE',
      '_.time': 'DOUBLE',
    } as const;
    const { tags, fields } = map(columns).mapping;
    expect(tags.optional).toEqual([
      { column: '_.a.3Ab', name: 'a:b' },
      // The name of the tag was _.a.3Ab, and begins with an underscore; so does _.other, which is not an escaped name.
      { column: '_._.2Ea.2E3Ab', name: '.a.3Ab_' },
      { column: '_.other', name: '.other_' },
      'measure_name',
    ]);
    // `time` is reserved at the target too.
    expect(fields).toMatchObject([{ name: 'ts_x' }, { name: 'time_' }]);
    const dropped = map({ '_.measure_name': 'VARCHAR', ...columns }, { measureName: 'drop' }).mapping;
    expect(dropped.tags.optional).toContainEqual({ column: '_.measure_name', name: 'measure_name' });
  });

  test.each([
    ['_..C2.B0C', '°C'],
    ['_.a.20b', 'a b'],
    ['_..23.23c', 'c__'],
    ['_.x', '.x_'],
  ])('the table %s, escaped by the write endpoint, is the measurement %s', (table, measurement) => {
    expect(acceptedMeasurement(table)).toBe(measurement);
  });

  test('an escaped name stays if another column has the name before', () => {
    const { mapping } = map({ '_.a.3Ab': 'VARCHAR', measure_name: 'VARCHAR', time: 'TIMESTAMP', 'a:b': 'DOUBLE' });
    expect(mapping.tags.optional).toContainEqual({ column: '_.a.3Ab', name: '.a.3Ab_' });
    expect(mapping.fields).toEqual([expect.objectContaining({ column: 'a:b', type: 'float' })]);
  });

  test('renames of the user apply to tags and fields', () => {
    const { tags, fields } = map(MULTI, { rename: { host: 'machine', load: 'l' } }).mapping;
    expect(tags.optional).toContainEqual({ column: 'host', name: 'machine' });
    expect(fields).toContainEqual({ column: 'load', type: 'float', name: 'l' });
  });

  test('two columns cannot have one key', () => {
    expect(() => map(MULTI, { rename: { load: 'count' } })).toThrow('named twice: count');
    expect(() => map(MULTI, { rename: { load: 'host' } })).toThrow('a tag and a field have the same name: host');
  });

  test('a measurement may not begin with _ or #', () => {
    expect(acceptedMeasurement('_cpu')).toBe('cpu_');
    expect(acceptedMeasurement('time')).toBe('time');
    expect(map(MULTI, {}, { table: '_cpu' }).mapping.measurement).toBe('cpu_');
  });

  test('mappings of tables whose names differ in case are two', () => {
    const names = ['Cpu', 'CPU', 'cpu', 'a.b', 'a-b'].map((table) => map(MULTI, {}, { table }).mapping.name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('misspelt names in the options are found', () => {
    const queries = [{ columns: columnsOf(MULTI) }];
    const options = optionsOf({
      dimensions: ['host', 'hots'],
      dimensionsToFields: ['zone'],
      rename: { laod: 'x', load: 'y' },
    });
    expect(unknownNames(queries, options)).toEqual(['hots', 'zone', 'laod']);
  });
});

test('a type that a field cannot hold is refused in Parquet, and text in CSV', () => {
  const columns = { ...MULTI, series: 'Array' };
  expect(() => map(columns)).toThrow('column series of cpu has the type Array');
  expect(map(columns, {}, { format: 'CSV' }).mapping.fields).toContainEqual({ column: 'series', type: 'string' });
});

describe('the table', () => {
  test.each([
    ['db/cpu', 'cpu'],
    ['db/cpu/chunk-0001', 'cpu'],
  ])('is the second folder of %s', (folder, table) => {
    expect(tableOf(folder, undefined)).toBe(table);
  });

  test.each(['', 'cpu', 'a/b/c/d'])('is not guessed from the folder "%s"', (folder) => {
    expect(() => tableOf(folder, undefined)).toThrow('Give its name as measurement');
    expect(tableOf(folder, 'cpu')).toBe('cpu');
  });
});
