/** A folder of Parquet files loaded whole, as `npm run load` does it: planned, read, written, summed up. */
import { join } from 'node:path';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { InfluxClient, type LineWriter } from 'shared/influxdb/client';
import { staticToken } from 'shared/influxdb/token';
import { loadLoaderConfig } from 'shared/loader-config';
import type { Summary } from 'shared/loads/summary';
import { ParquetReader } from 'shared/parquet/reader';
import { FolderObjects } from '../local/loader/folder-objects';
import { runLoad } from '../local/loader/workflow';

export const WORKER = join(process.cwd(), '.build/parquet-worker.cjs');

/**
 * Loads what is under `generation/` in the folder, one item after the other.
 * @param environment variables of the loader, among them INFLUXDB_URL and INFLUXDB_TOKEN
 * @param wrap gives the writer to use for the client's own
 */
export async function loadFolder(
  folder: string,
  environment: Readonly<Record<string, string>>,
  wrap: (writer: LineWriter) => LineWriter = (writer) => writer,
): Promise<Summary> {
  const config = loadLoaderConfig({ WORK_BUCKET: 'work', ...environment });
  const { gzipLevel } = config;
  const client = new InfluxClient(config.target, staticToken(environment.INFLUXDB_TOKEN ?? ''), { gzipLevel });
  const reader = new ParquetReader({ workerFile: WORKER });
  const objects = new FolderObjects({ data: folder, work: join(folder, 'work') });
  const quiet = (): void => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const common = { objects, reader, mappings: BUILT_IN_MAPPINGS, deadline: new AbortController().signal };
  try {
    return await runLoad(
      'bench',
      { bucket: 'data', prefix: 'generation/', maxConcurrency: 1 },
      {
        plan: { ...common, validateSchema: true, workBucket: 'work' },
        load: { ...common, config, influxdb: wrap(client), logger },
        check: () => Promise.resolve(),
      },
    );
  } finally {
    await reader.close();
    client.close();
  }
}
