/** Infers mappings from profiles that are written by hand. */
import type { PathColumn } from 'shared/datasets/inference/columns';
import { type InferenceChoices, inferMapping } from 'shared/datasets/inference/infer';
import { measurementOf } from 'shared/datasets/inference/names';
import type { ColumnProfile, FileProfile } from 'shared/datasets/inference/profile';
import type { ColumnType } from 'shared/parquet/column-type';

const ROWS = 1_000;

type More = Partial<Omit<ColumnProfile, 'name' | 'type'>>;
const column = (name: string, type: ColumnType, more: More = {}): ColumnProfile => ({
  ...{ name, type, declared: type.kind.toUpperCase(), nulls: 0 },
  ...more,
});
const PLAIN = { areTimes: false, areNumbers: false, areUtf8: true };
const text = (name: string, values: readonly string[] | null, more: More = {}): ColumnProfile =>
  column(name, { kind: 'text' }, { values, texts: PLAIN, ...more });
const integer = (name: string, min: number, max: number, values: readonly string[] | null = null): ColumnProfile =>
  column(name, { kind: 'integer', bits: 64, isSigned: true }, { values, range: { min, max } });
const instant = (name: string, more: More = {}): ColumnProfile =>
  column(name, { kind: 'timestamp', unit: 'us', isInstant: true }, more);
const float = (name: string): ColumnProfile => column(name, { kind: 'float', bits: 64 });
const several = (count: number): string[] => Array.from({ length: count }, (_, index) => `value ${index}`);

const file = (columns: readonly ColumnProfile[], name = 'a.parquet', rows = ROWS): FileProfile => ({
  ...{ name, columns, rows, sampledRows: rows },
});
const NONE: InferenceChoices = { tags: [], fields: [] };
const infer = (columns: readonly ColumnProfile[], choices: Partial<InferenceChoices> = {}, paths: PathColumn[] = []) =>
  inferMapping([file(columns)], paths, 'm', { ...NONE, ...choices });

describe('the time column', () => {
  test.each<[string, ColumnProfile[], string]>([
    [
      'of a type of times wins over names',
      [text('time', ['2024-01-01'], { texts: { ...PLAIN, areTimes: true } }), instant('x')],
      'x',
    ],
    ['is chosen by its name among several', [instant('created'), instant('Timestamp')], 'Timestamp'],
    [
      'is the first if no name decides',
      [instant('tpep_pickup_datetime'), instant('tpep_dropoff_datetime')],
      'tpep_pickup_datetime',
    ],
    ['has values', [instant('time', { nulls: ROWS }), instant('other')], 'other'],
    ['has a value in most rows', [instant('deleted_at', { nulls: 900 }), instant('started')], 'started'],
    ['may be the index of pandas', [instant('__index_level_0__')], '__index_level_0__'],
    [
      'may be text in ISO 8601',
      [text('date', several(3)), text('ts', null, { texts: { ...PLAIN, areTimes: true } })],
      'ts',
    ],
    ['is INT96 as written by Spark', [column('date', { kind: 'date' }), column('when', { kind: 'int96' })], 'when'],
    ['may be a date', [column('day', { kind: 'date' })], 'day'],
  ])('%s', (_, columns, expected) => {
    expect(infer([...columns, float('v')]).mapping.time).toEqual({ column: expected });
  });

  test('names the columns that it could also be, with the option that chooses them', () => {
    const columns = [instant('pickup time'), instant('dropoff time'), float('v')];
    expect(infer(columns).ambiguities).toEqual([
      "the time could also be dropoff time: --time 'dropoff time' chooses it",
    ]);
    expect(infer([instant('created at'), instant('time'), float('v')]).ambiguities).toEqual([]);
    const chosen = infer(columns, { time: 'dropoff time' });
    expect(chosen.mapping.time).toEqual({ column: 'dropoff time' });
    expect(chosen.ambiguities).toEqual([]);
  });

  test.each([
    ['s', 1_700_000_000, 'in s they are 2023-11-14T22:13:20Z to 2023-11-14T22:13:30Z'],
    ['ms', 1_700_000_000_000, 'in ms they are 2023-11-14T22:13:20Z'],
    ['us', 1_700_000_000_000_000, 'in us they are 2023-11-14T22:13:20Z'],
    ['ns', 1_700_000_000_000_000_000, 'in ns they are 2023-11-14T22:13:20Z'],
  ] as const)('of integers needs a unit, and looks like %s', (unit, min, range) => {
    const columns = [integer('ts', min, min + 10), float('v')];
    expect(() => infer(columns)).toThrow(range);
    expect(() => infer(columns)).toThrow(
      expect.objectContaining({
        name: 'DataConversionError',
        message: expect.stringContaining(`add --time-unit ${unit}`),
      }),
    );
    expect(infer(columns, { timeUnit: unit }).mapping.time).toEqual({ column: 'ts', unit });
  });

  test('is not an integer column of durations, even if it is named like a time', () => {
    const columns = [integer('response_time', 3, 90), float('v')];
    expect(() => infer(columns)).toThrow(
      'no column is a time. The columns are response_time (INTEGER), v (FLOAT). Column response_time has integers (3 to 90) that are no times of the years 1980 to 2099 in any unit. A point needs a time',
    );
    expect(() => infer(columns, { time: 'response_time' })).toThrow(
      '(3 to 90) need a unit: add --time-unit with one of s, ms, us, ns',
    );
  });

  test.each([
    ['an unknown column', { time: 'x' }, '--time: there is no column x. The columns are t (TIMESTAMP), v (FLOAT)'],
    [
      'a column that is not a time',
      { time: 'v' },
      '--time: column v is FLOAT, which is not a time: convert it to a TIMESTAMP',
    ],
    [
      'a unit of a column that has one',
      { timeUnit: 'ms' as const },
      '--time-unit is the unit of integers, but the time column t is TIMESTAMP',
    ],
  ])('cannot be %s', (_, choices, message) => {
    expect(() => infer([instant('t'), float('v')], choices)).toThrow(message);
  });

  const mixed = (name: string, hasTimes: boolean, notTime: string) =>
    text(name, null, { texts: { ...PLAIN, hasTimes, notTime } });

  test.each<[string, ColumnProfile, string]>([
    [
      'texts of which some are not times',
      mixed('timestamp', true, 'n/a'),
      'Column timestamp has times in ISO 8601, but also "n/a": --time timestamp takes it, and rows with other texts are invalid',
    ],
    [
      'texts in another format',
      mixed('event_time', false, '03/31/2024'),
      'Column event_time is TEXT, which is not a time: its texts, such as "03/31/2024", are not ISO 8601 (2024-03-31T12:00:00Z); convert them',
    ],
    [
      'dates in digits',
      integer('timestamp', 20_240_101, 20_240_131),
      'Column timestamp has integers (20240101 to 20240131) that look like dates in digits, which are not a time: convert them to a DATE',
    ],
    [
      'a timestamp without values',
      instant('created', { nulls: ROWS }),
      'Column created is TIMESTAMP, but has no value in the sampled rows',
    ],
    [
      'floats',
      float('ts'),
      'Column ts is FLOAT, which is not a time: convert it to a TIMESTAMP, or to integers with a unit',
    ],
  ])('is not guessed, and the reason named, for %s', (_, column, reason) => {
    const act = () => infer([column, integer('v', 1, 9)]);
    expect(act).toThrow(reason);
    expect(act).not.toThrow('--time v');
  });

  test('may be chosen among texts of which some are not times', () => {
    const columns = [mixed('ts', true, 'n/a'), float('v')];
    const { mapping, ambiguities } = infer(columns, { time: 'ts' });
    expect(mapping.time).toEqual({ column: 'ts' });
    expect(ambiguities).toEqual(['ts has texts that are not times in ISO 8601, such as "n/a": these rows are invalid']);
    expect(() => infer([mixed('ts', false, '03/31/2024'), float('v')], { time: 'ts' })).toThrow(
      '--time: column ts is TEXT, which is not a time: its texts, such as "03/31/2024", are not ISO 8601',
    );
  });

  test.each([
    [
      's',
      'in s, ts has times from the year 55840 to the year 55840, which InfluxDB cannot store: rows outside the years 1677 to 2262 are invalid. In ms they are 2023-11-14T22:13:20Z to 2023-11-14T22:13:20Z: --time-unit ms',
    ],
    [
      'ns',
      'in ns, ts has times from 1970-01-01T00:28:20Z to 1970-01-01T00:28:20Z. In ms they are 2023-11-14T22:13:20Z to 2023-11-14T22:13:20Z: --time-unit ms',
    ],
  ] as const)('of integers in a wrong unit, %s, is reported', (timeUnit, doubt) => {
    const columns = [integer('ts', 1_700_000_000_000, 1_700_000_000_010), float('v')];
    expect(infer(columns, { timeUnit }).ambiguities).toEqual([doubt]);
  });

  test('of integers is reported if no unit gives likely years', () => {
    expect(infer([integer('ts', 0, 86_400), float('v')], { time: 'ts', timeUnit: 's' }).ambiguities).toEqual([
      'in s, ts has times from 1970-01-01T00:00:00Z to 1970-01-02T00:00:00Z: is that right?',
    ]);
  });

  test('of integers that a double rounds has a range that is called approximate', () => {
    expect(() => infer([integer('ts', 1_700_000_000_000_000_000, 1_700_000_000_000_001_000), float('v')])).toThrow(
      /its integers \(about 17\d+ to about 17\d+\) need a unit/,
    );
  });

  test('is no column that the user chose as a tag or a field', () => {
    const columns = [instant('time'), instant('created'), float('v')];
    const { mapping, ambiguities } = infer(columns, { fields: ['time'] });
    expect(mapping.time).toEqual({ column: 'created' });
    expect(mapping.fields.map((field) => field.column)).toEqual(['time', 'v']);
    expect(ambiguities).toEqual([]);
    expect(infer(columns, { tags: ['time'] }).mapping.tags.optional).toEqual([{ column: 'time', name: 'time_value' }]);
    expect(() => infer([instant('t'), float('v')], { tags: ['t'] })).toThrow(
      'column t is the only time, so it cannot be a tag or a field',
    );
  });

  test('is found by the schema of a file without rows', () => {
    const { mapping } = inferMapping(
      [file([instant('t'), text('a', []), float('v')], 'empty.parquet', 0)],
      [],
      'm',
      NONE,
    );
    expect(mapping).toMatchObject({ time: { column: 't' }, fields: [{ column: 'a' }, { column: 'v' }] });
  });

  test('of days is reported beside the time of the day', () => {
    const midnight = 'the time of the day: all rows of a day would be stored at midnight';
    const day = column('day', { kind: 'date' });
    const start = column('start', { kind: 'time', unit: 'us' });
    expect(infer([day, start, float('v')]).ambiguities[0]).toContain(`day has only days, and start ${midnight}`);
    const hours: PathColumn[] = [{ name: 'hour', values: ['00', '01'] }];
    expect(infer([day, float('v')], {}, hours).ambiguities[0]).toContain(`day has only days, and hour ${midnight}`);
    expect(infer([day, float('v')]).ambiguities).toEqual([]);
    expect(infer([instant('t'), start, float('v')]).ambiguities).toEqual([]);
  });

  test('reports years that InfluxDB does not reach', () => {
    expect(infer([instant('t', { range: { min: -6.2e10, max: 0 } }), float('v')]).ambiguities).toEqual([
      't has times outside the years 1677 to 2262, which InfluxDB cannot store: these rows are invalid',
    ]);
  });

  test('reports rows without a time', () => {
    expect(infer([instant('t', { nulls: 50 }), float('v')]).ambiguities).toEqual([
      '5.0 % of the rows have no t: they are invalid',
    ]);
  });
});

describe('tags', () => {
  const tags = (columns: readonly ColumnProfile[], choices: Partial<InferenceChoices> = {}, paths: PathColumn[] = []) =>
    infer([instant('t'), float('v'), ...columns], choices, paths).mapping.tags.optional;

  test.each<[string, ColumnProfile, boolean]>([
    ['of few values', text('host', several(20)), true],
    ['that repeat', text('host', several(250)), true],
    ['that hardly repeat', text('message', several(251)), false],
    ['of more values than are listed', text('message', null), false],
    ['that are times', text('day', several(3), { texts: { ...PLAIN, areTimes: true } }), false],
    ['without a value', text('note', [], { nulls: ROWS }), false],
    ['that are not UTF-8', text('blob', several(3), { texts: { ...PLAIN, areUtf8: false } }), false],
    ['of UUIDs that repeat', column('device', { kind: 'uuid' }, { values: several(30) }), true],
  ])('are texts %s: %#', (_, profile, isTag) => {
    expect(tags([profile])).toEqual(isTag ? [profile.name] : []);
  });

  test('are never integers, but identifiers are reported', () => {
    const { mapping, ambiguities } = infer([
      instant('t'),
      integer('sensor_id', 1, 3, ['1', '2', '3']),
      integer('count', 1, 3, ['1']),
    ]);
    expect(mapping.tags.optional).toEqual([]);
    expect(ambiguities).toEqual([
      'sensor_id has integers that may identify a series (3 values): --tag sensor_id makes it a tag',
    ]);
  });

  test('are what the user chooses', () => {
    const columns = [text('host', several(3)), integer('id', 1, 9)];
    expect(tags(columns, { tags: ['id'], fields: ['host'] })).toEqual(['id']);
    expect(() => tags(columns, { tags: ['no'] })).toThrow(
      '--tag: there is no column no. The columns are t, v, host, id',
    );
    expect(() => tags(columns, { tags: ['id'], fields: ['id'] })).toThrow(
      'column id is given with --tag and with --field',
    );
    expect(() => tags(columns, { tags: ['t'], time: 't' })).toThrow('--tag: column t is already the time');
  });

  test('of bytes that are no text are written as hexadecimal digits', () => {
    const binary = { values: several(3), texts: { ...PLAIN, areUtf8: false }, declared: 'BYTE_ARRAY' };
    const columns = [
      ...[instant('t'), float('v'), column('mac', { kind: 'bytes', length: 6 })],
      ...[text('_key', several(3), binary), text('host', several(3))],
    ];
    expect(infer(columns, { tags: ['mac', '_key', 'host'] }).mapping.tags.optional).toEqual([
      { column: 'mac', encoding: 'hex' },
      { column: '_key', name: 'key', encoding: 'hex' },
      'host',
    ]);
  });

  test('whose values hardly repeat are reported, because a sample of few rows does not tell them from messages', () => {
    const columns = [instant('t'), float('v'), text('note', several(3)), text('host', several(2)), text('site', ['a'])];
    const few = (choices: Partial<InferenceChoices>) =>
      inferMapping([file(columns, 'a.parquet', 8)], [], 'm', { ...NONE, ...choices });
    expect(few({}).mapping.tags.optional).toEqual(['note', 'host', 'site']);
    expect(few({}).ambiguities).toEqual([
      'note is a tag, but its values hardly repeat in the sample (3 values in 8 rows): --field note makes it a field',
    ]);
    expect(few({ tags: ['note'] }).ambiguities).toEqual([]);
  });

  test('are the folders of the path, but not those that repeat the time', () => {
    const paths = [
      { name: 'region', values: ['norte', null] },
      { name: 'year', values: ['2024', '2025'] },
      { name: 'dt', values: ['2024-01-01'] },
      { name: 'dataset', values: ['m'] },
      { name: 'month', values: ['May'] },
    ];
    expect(tags([], {}, paths)).toEqual(['region', 'month']);
    expect(tags([], { tags: ['year'] }, paths)).toEqual(['region', 'year', 'month']);
  });

  test.each([
    ['year', ['2024'], '2024-01-01T00:00Z', '2024-12-31T23:00Z', false],
    ['year', ['1999', '2000'], '2023-01-01T00:00Z', '2023-01-02T00:00Z', true],
    // Local days of UTC-3.
    ['dt', ['2024-05-01'], '2024-05-01T03:00Z', '2024-05-02T02:59Z', false],
    ['dt', ['20240501'], '2024-05-01T00:00Z', '2024-05-01T23:59Z', false],
    ['dt', ['20240501'], '2024-05-03T00:00Z', '2024-05-03T23:59Z', true],
    ['month', ['05'], '2024-05-01T00:00Z', '2024-05-31T23:59Z', false],
    ['month', ['5'], '2024-05-01T00:00Z', '2024-07-31T23:59Z', true],
    ['day', ['1'], '2024-05-01T00:00Z', '2024-05-01T23:59Z', false],
    ['hour', ['00', '01', '02'], '2024-05-01T00:00Z', '2024-05-01T00:00Z', true],
    ['hour', ['13'], '2024-05-01T13:00Z', '2024-05-01T13:59Z', false],
    ['week', ['18'], '2024-05-01T00:00Z', '2024-05-05T00:00Z', false],
  ])('are folders %s=%j only if the times from %s to %s do not repeat them: %#', (name, values, from, to, isTag) => {
    const range = { min: Date.parse(from) / 1000, max: Date.parse(to) / 1000 };
    const files = values.map((value) => ({
      ...file([instant('t', { range }), float('v')]),
      folders: new Map([[name, value]]),
    }));
    const { mapping, ambiguities } = inferMapping(files, [{ name, values }], 'm', NONE);
    expect(mapping.tags.optional).toEqual(isTag ? [name] : []);
    expect(ambiguities).toEqual(
      isTag
        ? [
            `${name} is named like a part of the time, but its values are not those of t: it is a tag, so that no rows merge`,
          ]
        : [],
    );
  });

  test('are folders of hours beside a folder of dates that is the time', () => {
    const hours = ['10'];
    const files = hours.map((hour) => ({
      ...file([float('v')]),
      folders: new Map([
        ['date', '2024-05-01'],
        ['hour', hour],
      ]),
    }));
    const paths = [
      { name: 'date', values: ['2024-05-01'] },
      { name: 'hour', values: hours },
    ];
    expect(inferMapping(files, paths, 'm', NONE).mapping).toMatchObject({
      time: { column: 'date' },
      tags: { optional: ['hour'] },
    });
  });

  test('say which of their values a load leaves out', () => {
    const { decisions } = infer([instant('t'), float('v'), text('host', ['a', 'None'])]);
    expect(decisions[1]?.why).toBe('TEXT, 2 values such as "a", "None"; "None" counts as no value');
    const several = infer([instant('t'), float('v'), text('host', ['a', 'null', ' NaN'])]);
    expect(several.decisions[1]?.why).toMatch(/; "null", " NaN" count as no value$/);
  });

  test.each(['a ', ' a', 'a\\'])('say that a load trims values such as %j', (value) => {
    const { decisions } = infer([instant('t'), float('v'), text('host', ['b', value])]);
    expect(decisions[1]?.why).toContain(
      `; stored without spaces around them and without backslashes at their end, such as ${JSON.stringify(value)}`,
    );
  });

  test('multiply to the maximum number of series', () => {
    const columns = [instant('t'), float('v'), text('a', several(3)), text('b', several(4), { nulls: 1 })];
    expect(infer(columns).maxSeries).toBe(15);
  });

  test('leave a column for the field that a point needs', () => {
    const { mapping, ambiguities } = infer([instant('t'), text('host', several(3)), text('state', several(5))]);
    expect(mapping).toMatchObject({ tags: { optional: ['host'] }, fields: [{ column: 'state', type: 'string' }] });
    expect(ambiguities[0]).toContain('state is a field only because every column would be a tag');
    expect(() => infer([instant('t')])).toThrow('no column is left for a field beside the time t');
    expect(() => infer([instant('t'), column('l', { kind: 'unusable', why: 'is a LIST' })])).toThrow(
      'InfluxDB stores no point without a field. Left out: l (is a LIST)',
    );
  });
});

describe('fields', () => {
  const decimal = (scale: number, declared: string) => column('c', { kind: 'decimal', scale }, { declared });

  test.each<[ColumnProfile, object]>([
    [column('c', { kind: 'boolean' }), { type: 'boolean' }],
    [integer('c', -1, 1), { type: 'integer' }],
    [column('c', { kind: 'integer', bits: 16, isSigned: false }), { type: 'unsigned' }],
    [float('c'), { type: 'float' }],
    [column('c', { kind: 'float', bits: 16 }), { type: 'float' }],
    [decimal(2, 'INT64 DECIMAL(10,2)'), { type: 'float' }],
    [decimal(0, 'INT64 DECIMAL(18,0)'), { type: 'integer' }],
    [decimal(0, 'FIXED_LEN_BYTE_ARRAY(16) DECIMAL(38,0)'), { type: 'float' }],
    [instant('c'), { type: 'timestamp' }],
    [column('c', { kind: 'date' }), { type: 'timestamp' }],
    [column('c', { kind: 'int96' }), { type: 'timestamp' }],
    [instant('c', { range: { min: 0, max: 253_402_214_400 } }), { type: 'timestamp', as: 'us' }],
    [column('c', { kind: 'date' }, { range: { min: -1e10, max: 0 } }), { type: 'timestamp', as: 's' }],
    [column('c', { kind: 'int96' }, { range: { min: -1e10, max: 0 } }), { type: 'timestamp', as: 'rfc3339' }],
    [column('c', { kind: 'time', unit: 'us' }), { type: 'string' }],
    [column('c', { kind: 'interval' }), { type: 'string' }],
    [column('c', { kind: 'uuid' }, { values: null }), { type: 'string' }],
    [text('c', null), { type: 'string' }],
    [
      text('c', null, { texts: { ...PLAIN, areUtf8: false }, declared: 'BYTE_ARRAY' }),
      { type: 'string', encoding: 'hex' },
    ],
    [text('c', null, { texts: { ...PLAIN, areUtf8: false }, declared: 'BYTE_ARRAY STRING' }), { type: 'string' }],
    [column('c', { kind: 'bytes', length: 4 }), { type: 'string', encoding: 'hex' }],
  ])('have the type of their column: %#', (profile, expected) => {
    expect(infer([instant('time'), profile]).mapping.fields).toEqual([{ column: 'c', ...expected }]);
  });

  test('of long decimals are reported, because a float does not keep all digits', () => {
    const { ambiguities } = infer([instant('t'), decimal(2, 'FIXED_LEN_BYTE_ARRAY(16) DECIMAL(38,2)')]);
    expect(ambiguities).toEqual([
      'c may have 38 digits, of which a float keeps 15 to 17: type "string" in the mapping keeps all',
    ]);
  });

  test('of decimals have the type that all files need', () => {
    const files = ['INT32 DECIMAL(9,0)', 'FIXED_LEN_BYTE_ARRAY(16) DECIMAL(38,0)'].map((declared, index) =>
      file([instant('t'), decimal(0, declared)], `${index}.parquet`),
    );
    const { mapping, ambiguities } = inferMapping(files, [], 'm', NONE);
    expect(mapping.fields).toEqual([{ column: 'c', type: 'float' }]);
    expect(ambiguities[0]).toContain('c may have 38 digits');
  });

  test('leave out columns that cannot be used, and say why', () => {
    const { mapping, decisions } = infer([
      instant('t'),
      float('v'),
      column('list', { kind: 'unusable', why: 'is a LIST: only flat columns can be used' }),
      column('nothing', { kind: 'null' }),
      integer('__index_level_0__', 0, 9),
    ]);
    expect(mapping.fields).toEqual([{ column: 'v', type: 'float' }]);
    expect(decisions.filter(({ role }) => role === 'left out')).toEqual([
      { column: 'list', role: 'left out', why: 'is a LIST: only flat columns can be used' },
      { column: 'nothing', role: 'left out', why: 'it has no value in any row' },
      {
        column: '__index_level_0__',
        role: 'left out',
        why: 'it is an index of pandas, which numbers the rows; --field __index_level_0__ keeps it',
      },
    ]);
  });

  test.each([
    ['that repeat', integer('__index_level_0__', 1, 2, ['1', '2'])],
    ['beyond the count of rows', integer('__index_level_0__', 7, 1_330)],
  ])('keep an index of pandas with integers %s', (_, index) => {
    const { mapping, ambiguities } = infer([instant('t'), float('v'), index]);
    expect(mapping.fields).toContainEqual({ column: index.name, type: 'integer', name: 'index_level_0__' });
    expect(ambiguities).toEqual([
      expect.stringMatching(
        /^__index_level_0__ has integers that may identify a series .*--tag __index_level_0__ makes/,
      ),
    ]);
  });

  test('and tags that InfluxDB would refuse by their name get another', () => {
    const { mapping, decisions } = infer([
      instant('ts'),
      ...['time', '_x', 'x', '__x', 'a\\', 'a\nb', '_', 'Spaces and Case', '_time'].map(float),
      text('_host', several(2)),
    ]);
    expect(mapping.fields).toEqual([
      { column: 'time', type: 'float', name: 'time_value' },
      { column: '_x', type: 'float', name: 'x_2' },
      { column: 'x', type: 'float' },
      { column: '__x', type: 'float', name: 'x_3' },
      { column: 'a\\', type: 'float', name: 'a' },
      { column: 'a\nb', type: 'float', name: 'a b' },
      { column: '_', type: 'float', name: 'column' },
      { column: 'Spaces and Case', type: 'float' },
      { column: '_time', type: 'float', name: 'time_value_2' },
    ]);
    expect(mapping.tags.optional).toEqual([{ column: '_host', name: 'host' }]);
    expect(decisions.find(({ column: name }) => name === '_host')?.why).toContain(
      'named host, because InfluxDB does not accept its name',
    );
  });
});

test('several files are joined, and their differences reported', () => {
  const { mapping, ambiguities } = inferMapping(
    [
      file([instant('t'), integer('a', 1, 2), float('b'), text('host', ['x'])], '1.parquet'),
      file([instant('t'), float('a'), text('host', ['x', 'y'])], '2.parquet'),
    ],
    [],
    'm',
    NONE,
  );
  expect(mapping.fields).toEqual([
    { column: 'a', type: 'float' },
    { column: 'b', type: 'float' },
  ]);
  expect(ambiguities).toEqual([
    'column a has several types: INTEGER, FLOAT',
    'column b is missing in 1 of 2 files, such as 2.parquet',
  ]);
});

test.each<[string, ColumnType[], object]>([
  [
    'timestamps whose years no common unit reaches',
    [{ kind: 'date' }, { kind: 'timestamp', unit: 'us', isInstant: true }],
    { type: 'timestamp', as: 'rfc3339' },
  ],
  ['text and bytes', [{ kind: 'text' }, { kind: 'bytes', length: 2 }], { type: 'string', encoding: 'hex' }],
  ['booleans and integers', [{ kind: 'boolean' }, { kind: 'integer', bits: 8, isSigned: true }], { type: 'string' }],
  [
    'integers with and without a sign',
    [
      { kind: 'integer', bits: 8, isSigned: true },
      { kind: 'integer', bits: 8, isSigned: false },
    ],
    { type: 'integer' },
  ],
])('several files with %s have a field that holds both', (_, types, expected) => {
  const files = types.map((type, index) =>
    file(
      [instant('time'), column('c', type, type.kind === 'date' ? { range: { min: -1e11, max: 0 } } : {})],
      `${index}.parquet`,
    ),
  );
  expect(inferMapping(files, [], 'm', NONE).mapping.fields).toEqual([{ column: 'c', ...expected }]);
});

test.each([
  [['data/Solar Output.parquet'], 'Solar Output', 'solar-output'],
  [['tlc/yellow_tripdata_2024-01.parquet'], 'yellow_tripdata', 'yellow_tripdata'],
  [['lake/dataset=air/year=2024/part-0.parquet'], 'air', 'air'],
  [['lake/weather/year=2024/part-00000-3f2a.snappy.parquet'], 'weather', 'weather'],
  [['lake/weather/2024/a.parquet', 'lake/weather/2025/b.parquet'], 'weather', 'weather'],
  [['_Énergie#1.parquet'], 'Énergie#1', 'energie-1'],
  [['data_0.parquet'], 'data', 'data'],
])('the files %j have the measurement %s and the dataset %s', (paths, measurement, name) => {
  expect(measurementOf(paths)).toBe(measurement);
  const { mapping } = inferMapping([file([instant('t'), float('v')])], [], measurement, NONE);
  expect(mapping).toMatchObject({ name, measurement });
});
