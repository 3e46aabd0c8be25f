/** `load`: loads Parquet files into InfluxDB from this machine, by the steps of the workflow. */
import { join } from 'node:path';
import type { LineWriter } from 'shared/influxdb/client';
import { assertHealthy, checkHealth, type HealthAdvice } from 'shared/influxdb/health';
import type { LoaderConfig } from 'shared/loader-config';
import type { Summary } from 'shared/loads/summary';
import type { Logger } from 'shared/logger';
import { ParquetReader } from 'shared/parquet/reader';
import { influxClient } from '../../functions/clients/influxdb';
import { readMappings } from './mappings';
import { Progress } from './progress';
import { type ReportFolder, WORK } from './report-folder';
import { readSources } from './source';
import { runLoad } from './workflow';

export interface LoadOptions {
  /** Files, folders, globs, S3 addresses, or the failed-items.jsonl of an earlier load. */
  readonly sources: readonly string[];
  readonly dataset: string | undefined;
  /** Whether parts are still loaded after another one failed. */
  readonly keepGoing: boolean;
  /** Reads and validates everything, and writes nothing. */
  readonly dryRun: boolean;
  readonly hasToken: boolean;
  readonly report: ReportFolder;
  /** Ends the load early, with a summary of what it stored. */
  readonly signal: AbortSignal;
}

/** Takes every line and writes none. */
const NOWHERE: LineWriter = {
  encode: (lines) => Promise.resolve({ lines, body: lines }),
  write: () => Promise.resolve({ kind: 'written' }),
};

/** @throws what keeps the load from starting: UsageError, ConfigurationError, InvalidEventError, InfluxDBConnectionError */
export async function loadFiles(options: LoadOptions, config: LoaderConfig): Promise<Summary> {
  const { dataset, dryRun, keepGoing, report, signal } = options;
  const usesS3 = config.datasetMappings?.startsWith('s3://') ?? false;
  const { input, objects } = await readSources(options.sources, report, usesS3);
  const mappings = await readMappings(config.datasetMappings, objects);
  const progress = new Progress(process.stderr, { unit: 'rows' });
  const influxdb = influxClient(config);
  // Bundled beside the program.
  const reader = new ParquetReader({ ...config, workerFile: join(__dirname, 'parquet-worker.cjs') });
  const common = { objects, reader, mappings, deadline: signal };
  try {
    return await runLoad(
      report.loadId,
      { ...input, dataset, toleratedFailurePercentage: keepGoing ? 100 : 0, maxConcurrency: 1 },
      {
        signal,
        plan: { ...common, validateSchema: config.validateSchema, workBucket: WORK },
        load: {
          ...common,
          config: { ...config, workBucket: WORK },
          influxdb: dryRun ? NOWHERE : influxdb,
          logger: noting(progress),
          onBatch: (lines) => progress.add(lines),
        },
        check: async () => {
          if (!dryRun) assertHealthy(await checkHealth(influxdb, adviceOf(options.hasToken)));
        },
        onPlan: ({ rows }) => progress.addTotal(rows),
        onItem: (item, result) => {
          // Rows that became no point.
          if (!(result instanceof Error)) progress.add(item.rows - result.pointsWritten);
          else if (!signal.aborted) progress.note(`${result.name}: ${result.message}`);
        },
      },
    );
  } finally {
    progress.end();
    influxdb.close();
    await reader.close();
  }
}

function adviceOf(hasToken: boolean): HealthAdvice {
  return {
    unreachable: 'is InfluxDB, or npm start, running there? --url names another one',
    unauthorized: hasToken ? 'the token is wrong: give another one with --token' : 'no token was given: use --token',
    useEngine: (engine) => `use --engine ${engine}`,
  };
}

/** Warnings above the bar; a failed batch is reported with its item. */
function noting(progress: Progress): Logger {
  const silent = (): void => undefined;
  const warn: Logger['warn'] = (message, fields) => {
    const reason = typeof fields?.reason === 'string' ? `: ${fields.reason}` : '';
    progress.note(`${message}${reason}`);
  };
  return { debug: silent, info: silent, warn, error: silent };
}
