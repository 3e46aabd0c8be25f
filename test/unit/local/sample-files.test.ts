/** Which files `infer` samples, by footers that are written by hand. */
import { DataConversionError } from 'shared/errors';
import type { ParquetMetadata } from 'shared/parquet/metadata';
import { chooseFiles } from '../../../local/loader/sample-files';

const footer = (...names: string[]): ParquetMetadata => ({
  rows: 10,
  rowGroups: [],
  columns: names.map((name) => ({
    ...{ name, type: { kind: 'text' }, declared: 'BYTE_ARRAY STRING' },
    stored: { type: 'BYTE_ARRAY', length: undefined, isOptional: true },
  })),
});
const choose = (footers: readonly ParquetMetadata[]) =>
  chooseFiles([...footers.keys()], async (index) => footers[index] as ParquetMetadata, String);

test('a file with a column that the others lack is sampled, too', async () => {
  const footers = Array.from({ length: 20 }, (_, index) => (index === 6 ? footer('a', 'b') : footer('a')));
  const { sampled, others } = await choose(footers);
  expect(sampled).toHaveLength(9);
  expect(sampled).toContain(6);
  expect(others).toHaveLength(11);
  expect(others[0]?.profile).toMatchObject({
    rows: 10,
    sampledRows: 0,
    columns: [{ name: 'a', nulls: 0, values: [] }],
  });
});

test('columns of more files than are sampled are known by their footers', async () => {
  const { sampled, others } = await choose(Array.from({ length: 40 }, (_, index) => footer(`c${index}`)));
  expect(sampled).toHaveLength(16);
  const names = others.flatMap(({ profile }) => profile.columns.map(({ name }) => name));
  expect(new Set([...names, ...sampled.map((index) => `c${index}`)]).size).toBe(40);
});

test('the files beyond 1,000 are reported as not compared', async () => {
  const { doubts } = await choose(Array.from({ length: 1_200 }, () => footer('a')));
  expect(doubts).toEqual(['the columns of 200 of 1200 files were not compared']);
});

test('files that cannot be read are reported, and fail only together', async () => {
  const fail = async (index: number) => {
    await Promise.resolve();
    if (index > 0) throw new DataConversionError(`${index} is not Parquet`);
    return footer('a');
  };
  expect((await chooseFiles([0, 1, 2], fail, String)).doubts).toEqual(['2 of 3 files cannot be read, such as 2']);
  await expect(chooseFiles([1, 2], fail, String)).rejects.toThrow('1 is not Parquet');
  const program = async () => await Promise.reject(new TypeError('a fault of the program'));
  await expect(chooseFiles([0], program, String)).rejects.toThrow(TypeError);
});
