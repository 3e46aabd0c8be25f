/** Which column chunks are believed to have no value, by the statistics in the footer. */
import type { FileMetaData } from 'hyparquet';
import { resolveMapping } from 'shared/datasets/resolve';
import { surveyFile } from 'shared/parquet/jobs';
import { emptyColumns } from 'shared/parquet/metadata';
import { parquetOf } from '../../support/loader';
import { withFooter } from '../../support/parquet-footer';
import { mapping } from '../../support/parquet-mapping';
import { recordedTables, textsOf } from '../../support/recorded-tables';

const ROWS = 5000;

/** Three row groups. `n` has no value, `half` none in the second row group, and `v` one in every row. */
const written = parquetOf(`
  SELECT make_timestamp(i * 1000000) AS t, i::DOUBLE AS v, NULL::DOUBLE AS n,
    CASE WHEN i // 2048 <> 1 THEN 'text ' || i END AS half
  FROM range(${ROWS}) AS r(i)`);

type Data = Required<FileMetaData['row_groups'][number]['columns'][number]>['meta_data'];

/** The file with changed metadata of the chunks of column v. */
async function changed(edit: (data: Data, footer: FileMetaData) => void): Promise<Uint8Array> {
  return withFooter(new Uint8Array(await written), (footer) => {
    for (const { meta_data } of footer.row_groups.flatMap(({ columns }) => columns))
      if (meta_data?.path_in_schema[0] === 'v') edit(meta_data, footer);
  });
}

const concrete = (of: Parameters<typeof resolveMapping>[0]) => resolveMapping(of, ['t', 'v', 'n', 'half']);
const noValue = (data: Data) => {
  data.statistics = { null_count: data.num_values };
};
const values = Array.from({ length: ROWS }, (_, row) => String(row));

test('a chunk whose nulls are as many as its rows has no place, no bytes and no pages to read', async () => {
  const recorded = recordedTables(await changed(() => undefined));
  const groups = recorded.metadata.rowGroups.map(({ chunks }) => [...chunks.keys()]);
  expect(groups).toEqual([
    ['t', 'v', 'half'],
    ['t', 'v'],
    ['t', 'v', 'half'],
  ]);
  const texts = await textsOf(recorded, ['n']);
  expect(texts.get('n')).toEqual(Array(ROWS).fill(null));
  expect(recorded.fetched).toEqual([]);
});

describe('statistics that say that a chunk has no value', () => {
  /** A size that a chunk without values may have: only the change contradicts the statistics. */
  const small = (data: Data) => {
    noValue(data);
    data.total_compressed_size = 40n;
  };
  const chunksOf = async (edit: (data: Data, footer: FileMetaData) => void) =>
    recordedTables(await changed(edit)).metadata.rowGroups.map(({ chunks }) => chunks.has('v'));

  test('are believed if nothing contradicts them', async () => {
    expect(await chunksOf(small)).toEqual([false, false, false]);
  });

  test.each<[string, (data: Data, footer: FileMetaData) => void]>([
    ['a maximum', (data) => Object.assign(data.statistics ?? {}, { max_value: 1 })],
    ['a minimum of an old writer', (data) => Object.assign(data.statistics ?? {}, { min: 1 })],
    ['a count of distinct values', (data) => Object.assign(data.statistics ?? {}, { distinct_count: 2n })],
    ['another number of values', (data) => (data.num_values += 1n)],
    ['another number of nulls', (data) => Object.assign(data.statistics ?? {}, { null_count: data.num_values - 1n })],
    ['nulls that are not counted', (data) => Object.assign(data.statistics ?? {}, { null_count: 'many' })],
    ['a schema without nulls', (_, { schema }) => Object.assign(schema[2] ?? {}, { repetition_type: 'REQUIRED' })],
  ])('are not believed beside %s', async (_, contradict) => {
    const groups = await chunksOf((data, footer) => {
      small(data);
      contradict(data, footer);
    });
    expect(groups).toEqual([true, true, true]);
  });

  test.each<[string, (data: Data) => void]>([
    ['with more bytes than nulls need', noValue],
    ['without statistics', (data) => delete data.statistics],
  ])('are not believed for a chunk %s: all its values are read', async (_, edit) => {
    const texts = await textsOf(recordedTables(await changed(edit)), ['v']);
    expect(texts.get('v')).toEqual(values);
  });
});

test('a required column without a value is known from the footer', async () => {
  const { metadata, tables, fetched } = recordedTables(await changed(() => undefined));
  expect(emptyColumns(metadata, ['t', 'n', 'half', 'unknown'])).toEqual(['n']);
  expect(emptyColumns({ ...metadata, rows: 0 }, ['n'])).toEqual([]);
  const file = { size: 0, tail: new Uint8Array() };
  const job = { kind: 'survey' as const, file, partitions: new Map(), maxRowGroupBytes: 1e9 };
  const survey = await surveyFile(tables, { ...job, mapping: concrete(mapping()), contested: [], required: ['n'] });
  expect(survey).toEqual({ taken: [], whollyNull: ['n'] });
  expect(fetched).toEqual([]);
});

test('a unit without a value names a field by the other name', async () => {
  const named = { by: 'n', names: { kV: 'voltage' }, otherwise: 'value' };
  const of = { ...mapping(), fields: [{ column: 'v', type: 'number' as const, named }] };
  const { tables } = recordedTables(await changed(() => undefined));
  const file = { size: 0, tail: new Uint8Array() };
  const job = { kind: 'survey' as const, file, partitions: new Map(), maxRowGroupBytes: 1e9 };
  const survey = await surveyFile(tables, {
    ...job,
    mapping: concrete(of),
    contested: ['value', 'voltage'],
    required: [],
  });
  expect(survey.taken).toEqual(['value']);
});
