/** Reads Parquet fixtures into lines, for tests. */
import { join } from 'node:path';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import type { DatasetMapping } from 'shared/datasets/mapping';
import type { ChunkInfo } from 'shared/parquet/metadata';
import { ParquetReader, type ReadPointsOptions } from 'shared/parquet/reader';
import { openFile, type ParquetSource } from 'shared/parquet/source';
import type { LineBatch } from 'shared/points/batch-buffer';
import type { PointsReport } from 'shared/points/report';

const root = join(__dirname, '../..');

export const workerFile = join(root, '.build/parquet-worker.cjs');

export const fixture = (name: string) => join(root, 'test/fixtures/parquet', `${name}.parquet`);

export function mappingOf(name: string): DatasetMapping {
  const mapping = BUILT_IN_MAPPINGS.find((candidate) => candidate.name === name);
  if (!mapping) throw new Error(`no built-in mapping ${name}`);
  return mapping;
}

export const generation = mappingOf('generation');

export const lenient: ReadPointsOptions = {
  limits: { lines: 1000, bytes: 1_000_000 },
  dropInvalid: true,
  validateSchema: false,
};

/** The footer's entry for a column chunk of the given size, bytes. */
export const chunkOf = (compressed: number): ChunkInfo => ({
  start: 4,
  compressed,
  uncompressed: compressed,
  codec: 'SNAPPY',
  encodings: ['PLAIN'],
});

/** A source over bytes in memory, for files damaged by a test. */
export function memorySource(bytes: Uint8Array, name = 's3://bucket/key.parquet'): ParquetSource {
  return {
    name,
    size: bytes.length,
    etag: 'etag',
    readRange: (start, end) => Promise.resolve(bytes.slice(start, end)),
  };
}

export async function collect(
  reader: ParquetReader,
  source: ParquetSource,
  mapping: DatasetMapping = generation,
  options: Partial<ReadPointsOptions> = {},
): Promise<{ lines: string[]; batches: LineBatch[]; report: PointsReport }> {
  const stream = reader.readPoints(source, mapping, { ...lenient, ...options });
  const batches: LineBatch[] = [];
  for await (const batch of stream) batches.push(batch);
  const text = batches.map(({ bytes }) => Buffer.from(bytes).toString()).join('');
  return { lines: text.split('\n').slice(0, -1), batches, report: stream.report() };
}

export async function collectFixture(
  reader: ParquetReader,
  name: string,
  mapping: DatasetMapping = generation,
  options: Partial<ReadPointsOptions> = {},
) {
  const source = await openFile(fixture(name));
  try {
    return await collect(reader, source, mapping, options);
  } finally {
    await source.close();
  }
}

/** A reader whose workers end with the tests of the calling file. */
export function testReader(options: { maxRowGroupBytes?: number } = {}): ParquetReader {
  const reader = new ParquetReader({ workerFile, ...options });
  afterAll(() => reader.close());
  return reader;
}
