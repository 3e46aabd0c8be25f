/** Datasets by key, explicit datasets, and mappings that users write. */
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { requiredColumns } from 'shared/datasets/columns';
import { detectDataset } from 'shared/datasets/detect';
import { mergeMappings, parseMappings } from 'shared/datasets/mapping';

const nameOf = (key: string, explicit?: string) => detectDataset(key, BUILT_IN_MAPPINGS, explicit).name;

describe('the dataset of a key', () => {
  test.each([
    [
      'dataset=generation/year=2024/month=01/processing_metadata_processed_at=2026-11-21 23:29:56.328731/0a.snappy.parquet',
      'generation',
    ],
    ['Dataset=Consumption/generation/x.parquet', 'consumption'],
    ['next-generation-bucket/consumption/x.parquet', 'consumption'],
    ['ons/TRANSMISSION/generation_2024.parquet', 'transmission'],
    ['ons/generation_2024-01.parquet', 'generation'],
    ['ons/2024 consumption.parquet', 'consumption'],
  ])('of %s is decided by the first step that finds a name', (key, expected) => {
    expect(nameOf(key)).toBe(expected);
  });

  test.each([
    [
      'ons/regeneration.parquet',
      'its path names none of the built-in datasets (generation, consumption, transmission)',
    ],
    ['generation_archive/x.parquet', 'none of the built-in datasets'],
    ['generation/consumption/x.parquet', 'its path names several: generation, consumption'],
    ['dataset=generation/dataset=consumption/x.parquet', 'names several'],
    ['generation-and-consumption.parquet', 'names several'],
    ['dataset=weather/generation/x.parquet', "its path names 'weather', expected one of generation"],
  ])('of %s is an error that reports what was found', (key, fault) => {
    expect(() => nameOf(key)).toThrow(fault);
    expect(() => nameOf(key)).toThrow(expect.objectContaining({ name: 'DataConversionError', object: key }));
  });

  test('advises to name the dataset of a mapping of the user, or uses it as the fallback', () => {
    const own = { ...BUILT_IN_MAPPINGS[0], name: 'air' } as (typeof BUILT_IN_MAPPINGS)[number];
    const mappings = mergeMappings(BUILT_IN_MAPPINGS, [own]);
    const advice = { choose: (name: string) => `add --dataset ${name}`, mapping: '--mapping FILE' };
    expect(() => detectDataset('in/export.parquet', mappings, undefined, { advice }, '/in/export.parquet')).toThrow(
      '/in/export.parquet: cannot tell the dataset of this file: add --dataset air, or put it into a folder dataset=air',
    );
    expect(detectDataset('in/export.parquet', mappings, undefined, { fallback: own })).toBe(own);
    expect(detectDataset('consumption/x.parquet', mappings, undefined, { fallback: own }).name).toBe('consumption');
    expect(() => detectDataset('dataset=x/y.parquet', mappings, undefined, { fallback: own })).toThrow("names 'x'");
  });

  test('is the explicit dataset if there is one', () => {
    expect(nameOf('generation/x.parquet', 'Transmission')).toBe('transmission');
    expect(() => nameOf('generation/x.parquet', 'weather')).toThrow(
      expect.objectContaining({ name: 'InvalidEventError', message: expect.stringContaining('expected one of') }),
    );
  });
});

describe('mappings', () => {
  const own = {
    name: 'weather',
    measurement: 'weather',
    time: { column: 'at', unit: 'ms', zone: 'America/Sao_Paulo' },
    tags: { required: ['station'] },
    fields: [{ column: 'temperature', type: 'number', required: true }],
  };

  const named = (column: string, by: string, names: Record<string, string>, otherwise = 'value') => ({
    ...{ column, type: 'number' },
    named: { by, names, otherwise },
  });

  test('are read from JSON, one or several', () => {
    expect(parseMappings(JSON.stringify([own]))).toEqual(parseMappings(JSON.stringify(own)));
    const [mapping] = parseMappings(JSON.stringify(own));
    expect(mapping && requiredColumns(mapping)).toEqual(['at', 'station', 'temperature']);
    expect(mapping && detectDataset('weather/x', mergeMappings(BUILT_IN_MAPPINGS, [mapping]))).toBe(mapping);
  });

  test('may give several units, and a column of its own, the same name', () => {
    const fields = [named('x', 'unit', { MW: 'power', mw: 'power' }), { column: 'power', type: 'number' }];
    expect(parseMappings(JSON.stringify({ ...own, fields }))).toHaveLength(1);
  });

  test('include the built-in mappings, which are valid by the same rules', () => {
    expect(parseMappings(JSON.stringify(BUILT_IN_MAPPINGS))).toEqual(BUILT_IN_MAPPINGS);
    expect(BUILT_IN_MAPPINGS.map((mapping) => requiredColumns(mapping).sort())).toEqual([
      ['energy_source', 'measurement_type', 'region', 'timestamp', 'unit', 'value'],
      ['consumer_type', 'measurement_type', 'region', 'timestamp', 'unit', 'value'],
      ['line_id', 'measurement_type', 'region', 'timestamp', 'unit', 'value'],
    ]);
  });

  test.each([
    ['{', 'mappings: not JSON'],
    [{ ...own, time: { column: 'at', zone: 'Sao Paulo' } }, 'mappings.time.zone: not an IANA time zone'],
    [{ ...own, tags: { required: ['time'] } }, 'mappings.tags.required[0]: InfluxDB reserves this name'],
    [{ ...own, tags: { required: ['a'], optional: ['a'] } }, 'mappings.tags: named twice: a'],
    [
      { ...own, fields: [named('a', 'unit', { MW: 'power' }), named('b', 'unit', { kW: 'power' }, 'other')] },
      'mappings.fields: several fields can be named: power',
    ],
    [
      { ...own, fields: [{ column: 'station', type: 'text' }] },
      'mappings.fields: a tag and a field have the same name: station',
    ],
    [
      { ...own, fields: [{ column: 'x', type: 'number', name: 'station' }] },
      'mappings.fields: a tag and a field have the same name: station',
    ],
    [
      { ...own, fields: [named('x', 'unit', { MW: 'station' })] },
      'mappings.fields: a tag and a field have the same name: station',
    ],
    [
      {
        ...own,
        tags: { required: ['nominal_power'] },
        fields: [named('x', 'unit', { MW: 'power' }), { column: 'power', type: 'text' }],
      },
      'mappings.fields: a tag and a field have the same name: nominal_power',
    ],
    [
      {
        ...own,
        fields: [
          named('x', 'unit', { MW: 'power' }),
          { column: 'power', type: 'number' },
          { column: 'y', type: 'number', name: 'nominal_power' },
        ],
      },
      'mappings.fields: a field has the new name of a field whose own name is taken: nominal_power',
    ],
    [{ ...own, feilds: [] }, 'Unrecognized key: "feilds"'],
    [{ ...own, fields: [] }, 'mappings.fields'],
    [{ ...own, measurement: '_internal' }, 'may not begin with _ or #'],
    [{ ...own, checks: { known: { place: ['x'] } } }, 'mappings.checks.known.place: not a tag of this mapping'],
    [[own, own], 'several mappings are named weather'],
    [[own, { ...own, name: 'b', time: {} }], 'mappings[1].time.column: is missing; it must be a text'],
    [{ ...own, tags: 'host' }, 'mappings.tags: must be an object'],
    [{ ...own, fields: undefined }, 'mappings.fields: is missing; it must be a list'],
  ])('are refused with the position of the problem: %#', (data, problem) => {
    const json = typeof data === 'string' ? data : JSON.stringify(data);
    expect(() => parseMappings(json)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
    expect(() => parseMappings(json)).toThrow(problem);
  });
});
