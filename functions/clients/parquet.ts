/** The Parquet reader of a function. Its worker is a file of the layer. */
import { ParquetReader } from 'shared/parquet/reader';

export function parquetReader(options: { maxRowGroupBytes?: number } = {}): ParquetReader {
  return new ParquetReader({ workerFile: require.resolve('shared/parquet/worker'), ...options });
}
