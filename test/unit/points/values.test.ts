/** Every type of the value column, the times, the tags and the fields, in files that pyarrow wrote. */
import { collectFixture, generation, mappingOf, testReader } from '../../support/parquet';

const reader = testReader();
const HEAD = 'generation_data,energy_source=solar,measurement_type=generation,region=norte unit="MW",power_mw=';

async function valuesOf(name: string): Promise<(string | undefined)[]> {
  const { lines } = await collectFixture(reader, name);
  return lines.map((line) => /power_mw=([^ ]*)/.exec(line)?.[1]);
}

describe('the value column', () => {
  test.each([
    ['int8', ['-128', '0', '127']],
    ['int16', ['-32768', '0', '32767']],
    ['int32', ['-2147483648', '0', '2147483647']],
    ['int64', ['-9223372036854776000', '0', '9223372036854776000']],
    ['uint8', ['0', '1', '255']],
    ['uint16', ['0', '1', '65535']],
    ['uint32', ['0', '1', '4294967295']],
    ['uint64', ['0', '1', '18446744073709552000']],
    ['float16', ['0.5', '-2', '65504']],
    ['float32', ['0.1', '3.4028235e+38', '1e-45']],
    ['float64', ['0.1', '5e-324', '-1.7976931348623157e+308']],
    ['boolean', ['1', '0', '1']],
    ['decimal9', ['1.1', '-0.05', '99999.99']],
    ['decimal38', ['12345678901234567000', '-1e-10', '0.1']],
    ['decimal76', ['1e+40', '-12.5', '0.0001']],
    ['text', ['1.5', '-2000', '0.5']],
    ['dictionary', ['7', '8', '7']],
  ])('of type %s keeps every value of a double', async (type, expected) => {
    expect(await valuesOf(`value-${type}`)).toEqual(expected);
  });

  test('makes a row invalid if it is null, NaN or infinite, and keeps -0', async () => {
    const { lines, report } = await collectFixture(reader, 'value-bad');
    expect(lines.map((line) => line.slice(HEAD.length).split(' ')[0])).toEqual(['1.5', '2.5', '-0']);
    expect(report).toMatchObject({ rows: 7, points: 3 });
    expect(report.invalid).toEqual([
      { reason: 'missing', column: 'value', count: 1, examples: [{ row: 1, value: null }] },
      { reason: 'nan', column: 'value', count: 1, examples: [{ row: 2, value: 'NaN' }] },
      {
        reason: 'infinite',
        column: 'value',
        count: 2,
        examples: [
          { row: 3, value: 'Infinity' },
          { row: 4, value: '-Infinity' },
        ],
      },
    ]);
  });

  test('makes a row invalid if its text is not a decimal number', async () => {
    const { lines, report } = await collectFixture(reader, 'value-bad-text');
    expect(lines).toHaveLength(1);
    expect(report.invalid.map(({ reason, examples }) => [reason, examples.map(({ value }) => value)])).toEqual([
      ['unreadable', ['1,5', '0x10']],
      ['missing', [null, '']],
    ]);
  });
});

describe('the time column', () => {
  const [first, second, third] = ['1704067200000000000', '1719791999123456789', '-1500000000'];
  const cut = (digits: number) => [first, `${second?.slice(0, 10 + digits)}${'0'.repeat(9 - digits)}`];
  const unit = (name: 's' | 'ms' | 'us' | 'ns') => ({ ...generation, time: { column: 'timestamp', unit: name } });

  async function timesOf(name: string, mapping = generation) {
    const { lines } = await collectFixture(reader, name, mapping);
    return lines.map((line) => line.slice(line.lastIndexOf(' ') + 1));
  }

  test.each([
    ['timestamp-s', [...cut(0), '-2000000000']],
    ['timestamp-ms', [...cut(3), third]],
    ['timestamp-us', [...cut(6), third]],
    ['timestamp-ns', [first, second, third]],
    ['timestamp-zoned', [first, second, third]],
    ['int96', [first, second, third]],
    ['date32', [first, '1719705600000000000', '-86400000000000']],
    ['date64', [first, '1719705600000000000', '-86400000000000']],
    ['text', [first, second, third]],
    ['text-naive', [first, second, third]],
  ])('of type %s is exact to the nanosecond', async (type, expected) => {
    expect(await timesOf(`time-${type}`)).toEqual(expected);
  });

  test.each([
    ['integer-s', 's', [...cut(0), '-2000000000']],
    ['integer-32', 's', [...cut(0), '-2000000000']],
    ['integer-ms', 'ms', [...cut(3), third]],
    ['integer-ns', 'ns', [first, second, third]],
  ] as const)('of %s is read in the unit of the mapping', async (type, name, expected) => {
    expect(await timesOf(`time-${type}`, unit(name))).toEqual(expected);
  });

  test('is never guessed from integers without a unit, nor from other types', async () => {
    for (const name of ['time-integer-s', 'time-double']) {
      const { lines, report } = await collectFixture(reader, name);
      expect(lines).toEqual([]);
      expect(report.invalid).toMatchObject([{ reason: 'unreadable', column: 'timestamp', count: 3 }]);
      await expect(collectFixture(reader, name, generation, { validateSchema: true })).rejects.toThrow(
        /column timestamp is .*(names no unit|not a time)/,
      );
    }
  });

  test('reads wall-clock times in the zone of the mapping: Brazil began summer time at midnight of 2018-11-04', async () => {
    const mapping = { ...generation, time: { column: 'timestamp', zone: 'America/Sao_Paulo' } };
    expect((await timesOf('time-zone', mapping)).map((time) => new Date(Number(time) / 1e6).toISOString())).toEqual([
      '2018-11-04T02:30:00.000Z',
      '2018-11-04T03:30:00.000Z', // clocks skipped this half hour: read as before the change
      '2018-02-18T01:30:00.000Z', // clocks showed it twice: the first
      '2024-01-01T03:00:00.000Z',
    ]);
    expect(await timesOf('time-timestamp-zoned', mapping)).toEqual([first, second, third]);
  });

  test('makes a row invalid if it is missing or unreadable, and never takes the current time', async () => {
    const { lines, report } = await collectFixture(reader, 'time-bad');
    expect(lines).toHaveLength(1);
    expect(report.invalid.map(({ reason, count }) => [reason, count])).toEqual([
      ['missing', 2],
      ['unreadable', 2],
    ]);
  });
});

describe('tags', () => {
  test('are trimmed and sorted; an empty required one makes the row invalid, an empty optional one is left out', async () => {
    const { lines, report } = await collectFixture(reader, 'tags');
    expect(lines.map((line) => line.slice(0, line.indexOf(' ')).replace(/.*generation,/, ''))).toEqual([
      'region=sul',
      'plant_name=a,region=Sul',
      'plant_name=p,region=nan',
      'region=sul',
    ]);
    expect(report.invalid).toEqual([
      {
        reason: 'missing',
        column: 'region',
        count: 2,
        examples: [
          { row: 1, value: '' },
          { row: 2, value: null },
        ],
      },
    ]);
    expect(report.warnings).toEqual(
      expect.arrayContaining([
        { kind: 'unknown-value', column: 'region', value: 'Sul', count: 1 },
        { kind: 'unknown-value', column: 'region', value: 'nan', count: 1 },
        { kind: 'trailing-backslash', column: 'plant_name', value: 'a\\', count: 1 },
      ]),
    );
  });

  test('can be numbers, and columns that are fields in other mappings', async () => {
    const mapping = mappingOf('transmission');
    const tagged = {
      ...mapping,
      tags: { ...mapping.tags, optional: ['voltage_kv'] },
      fields: mapping.fields.filter((field) => !('column' in field && field.column === 'voltage_kv')),
    };
    const { lines } = await collectFixture(reader, 'transmission-mw', tagged);
    expect(lines[0]).toBe(
      'transmission_data,line_id=1,measurement_type=generation,region=norte,voltage_kv=500 unit="MW",power_mw=0.5 1704067200000000000',
    );
    expect(lines[2]).not.toContain('voltage_kv');
  });
});

describe('fields', () => {
  test('are named after the unit', async () => {
    const { lines } = await collectFixture(reader, 'units');
    expect(lines.map((line) => line.split(' ').slice(1, -1).join(' '))).toEqual([
      'unit=" MW ",power_mw=0.5',
      'unit="MWh",energy_mwh=1.5',
      'unit="kV",voltage_kv=2.5',
      'unit="A",current_a=3.5',
      'unit="Hz",frequency_hz=4.5',
      'unit="%",percentage=5.5',
      'unit="ratio",ratio=6.5',
      'value=7.5',
    ]);
  });

  test('leave out null values, and count values that are not numbers', async () => {
    const { lines, report } = await collectFixture(reader, 'optional');
    expect(lines.map((line) => line.split('power_mw=')[1]?.split(' ')[0])).toEqual([
      '0.5,capacity_mw=1,efficiency=0.5',
      '1.5',
      '2.5',
    ]);
    expect(report).toMatchObject({
      points: 3,
      warnings: [
        { kind: 'left-out', column: 'capacity_mw', count: 1 },
        { kind: 'left-out', column: 'efficiency', count: 1 },
      ],
    });
  });

  test('are renamed in the whole file if the unit’s field has their name', async () => {
    const mapping = mappingOf('transmission');
    const { lines, report } = await collectFixture(reader, 'transmission-kv-last', mapping);
    expect(lines.map((line) => line.split(' ')[1])).toEqual([
      'unit="MW",power_mw=0.5,nominal_voltage_kv=500',
      'unit="MW",power_mw=1.5,nominal_voltage_kv=500',
      'unit="MW",power_mw=2.5',
      'unit="kV",voltage_kv=3.5,nominal_voltage_kv=230',
    ]);
    expect(report.warnings).toEqual([{ kind: 'renamed', column: 'voltage_kv', value: 'nominal_voltage_kv', count: 1 }]);

    const run = { firstRowGroup: 0, rowGroups: 1 };
    const alone = await collectFixture(reader, 'transmission-kv-last', mapping, { run });
    expect(alone.lines).toEqual(lines.slice(0, 1));
    const other = await collectFixture(reader, 'transmission-mw', mapping);
    expect(other.lines[0]).toContain(',voltage_kv=500 ');
  });
});

test('counts the points of one series and time, after trimming, whatever their order', async () => {
  const { report } = await collectFixture(reader, 'duplicates');
  expect(report).toMatchObject({ points: 4, duplicates: 2 });
});
