/** Loads Parquet files into InfluxDB from this machine, with the steps of the deployed workflow. */
import { join } from 'node:path';
import type { DatasetAdvice, Detection } from 'shared/datasets/detect';
import type { DatasetMapping } from 'shared/datasets/mapping';
import { InfluxDBWriteError } from 'shared/errors';
import { loadReading } from 'shared/exports/reading';
import { readBucket } from 'shared/influxdb/bucket';
import type { InfluxClient, LineWriter } from 'shared/influxdb/client';
import { assertHealthy, checkHealth, type HealthAdvice } from 'shared/influxdb/health';
import type { LoaderConfig } from 'shared/loader-config';
import type { AbsentColumn } from 'shared/loads/plan-item';
import type { Summary } from 'shared/loads/summary';
import type { Logger } from 'shared/logger';
import { ParquetReader } from 'shared/parquet/reader';
import { influxClient } from '../../functions/clients/influxdb';
import { commandLine } from '../cli/command-line';
import { UsageError } from '../cli/ending';
import type { RunRecorder } from '../runs/recorder';
import { type Checks, LoadChecks } from './checks';
import { periodText, schemaWarnings } from './checks-text';
import { LoadDetails } from './details';
import { readMappings } from './mappings';
import { Progress } from './progress';
import { type ReportFolder, WORK } from './report-folder';
import { readExport, readSources } from './source';
import { runLoad } from './workflow';

export interface LoadOptions {
  /** Files, folders, globs, S3 addresses, or the failed-items.jsonl of an earlier load. */
  readonly sources: readonly string[];
  /** A folder or an S3 address of an export, instead of the sources. */
  readonly exported: { readonly folder: string; readonly options: unknown } | undefined;
  readonly dataset: string | undefined;
  /** Whether the load continues after an item has failed. */
  readonly keepGoing: boolean;
  /** Reads and validates everything, and writes nothing. */
  readonly dryRun: boolean;
  readonly hasToken: boolean;
  readonly report: ReportFolder;
  /** Ends the load early, with a summary of what it stored. */
  readonly signal: AbortSignal;
  /** Called when the sources and mappings are known to be usable; receives the progress of a load that writes. */
  readonly startRun?: (() => RunRecorder) | undefined;
}

export interface LoadOutcome {
  readonly summary: Summary;
  readonly details: LoadDetails;
  readonly checks: Checks;
}

/** Maximum columns that a load names because a file lacks them, each with its first file; the summary counts the files. */
const MAX_NOTES = 20;

/** Accepts every line and writes nothing, for a dry run. */
const NOWHERE: LineWriter = {
  encode: (lines) => Promise.resolve({ lines, body: lines }),
  write: () => Promise.resolve({ kind: 'written' }),
};

/** @throws UsageError, ConfigurationError, InvalidEventError or InfluxDBConnectionError if the load cannot start */
export async function loadFiles(options: LoadOptions, config: LoaderConfig): Promise<LoadOutcome> {
  const { dataset, dryRun, keepGoing, report, signal } = options;
  const usesS3 = config.datasetMappings?.startsWith('s3://') ?? false;
  const { input, objects, datasets } = options.exported
    ? await readExport(options.exported.folder, options.exported.options, report)
    : await readSources(options.sources, report, usesS3);
  const { all: mappings, single } = await readMappings(config.datasetMappings, objects);
  const unknown = datasets.find((name) => !mappings.some((mapping) => mapping.name === name));
  if (dataset === undefined && unknown !== undefined) {
    throw new UsageError(
      `the failed items are of the dataset '${unknown}', which is not built in: name the mapping of that load with --mapping FILE`,
    );
  }
  const run = options.startRun?.();
  const detection: Detection = { fallback: single, advice: ADVICE };
  const details = new LoadDetails(mappings);
  const progress = new Progress(process.stderr, { unit: 'rows' });
  const influxdb = influxClient(config);
  // The bundler puts the worker beside the program.
  const reader = new ParquetReader({ ...config, workerFile: join(__dirname, 'parquet-worker.cjs') });
  const checks = new LoadChecks(influxdb.target);
  const checked = new Set<string>();
  const common = { objects, reader, mappings, detection, deadline: signal };
  const absent = new Set<string>();
  try {
    const summary = await runLoad(
      report.loadId,
      { ...input, dataset, toleratedFailurePercentage: keepGoing || dryRun ? 100 : 0, maxConcurrency: 1 },
      {
        signal,
        dryRun,
        plan: { ...common, validateSchema: config.validateSchema, workBucket: WORK },
        load: {
          ...common,
          config: { ...config, workBucket: WORK },
          influxdb: dryRun ? NOWHERE : influxdb,
          logger: noting(progress),
          onBatch: (lines) => {
            progress.add(lines);
            run?.addPoints(lines);
          },
          onUnfinished: (result) => details.add(result),
          keepFrom: () => checks.keepFrom(Date.now()),
          onReport: (report) => checks.add(report),
        },
        check: async () => {
          const refusal = await checkWrites(influxdb, options);
          if (refusal !== undefined) checks.setRefusal(refusal);
          const reading = await readBucket(influxdb);
          checks.setBucket(reading);
          if (reading.kind === 'unread' && refusal === undefined)
            progress.note(unreadText(influxdb.target.bucket, reading.reason));
          if (!dryRun && checks.retentionSeconds !== undefined)
            progress.note(retentionText(influxdb.target.bucket, checks.retentionSeconds));
        },
        onStart: ({ dataset: name, export: part }) => {
          if (dryRun || checked.has(name)) return;
          checked.add(name);
          const warn = (mapping: DatasetMapping): void => {
            for (const text of schemaWarnings(checks.beforeWrite(mapping))) progress.note(`warning: ${text}`);
          };
          const mapping = part ? undefined : mappings.find((each) => each.name === name);
          if (mapping) warn(mapping);
          // A mapping that cannot be read is the error of the item.
          if (part)
            loadReading(part.mapping, objects).then(
              (reading) => warn(reading.mapping),
              () => undefined,
            );
        },
        onPlan: ({ rows, items }) => {
          progress.addTotal(rows);
          run?.addItems(items);
        },
        onItem: (item, result) => {
          for (const column of item.absent ?? []) {
            const id = JSON.stringify([item.dataset, column.column]);
            if (absent.has(id) || absent.size > MAX_NOTES) continue;
            absent.add(id);
            if (absent.size <= MAX_NOTES) progress.note(absentText(objects.nameOf(item), column));
            else progress.note('Further warnings of this kind are only counted');
          }
          if (!(result instanceof Error)) {
            details.add(result);
            // Points are already counted, also refused ones; add the rows that did not become points.
            progress.add(item.rows - result.pointsWritten - result.rejectedPoints - result.failedPoints);
            run?.itemDone({ rejected: result.rejectedPoints, failed: result.failedPoints });
          } else {
            run?.itemFailed(result);
            if (!signal.aborted) progress.note(`${result.name}: ${result.message}`);
          }
        },
      },
    );
    return { summary, details, checks: checks.result() };
  } finally {
    progress.end();
    influxdb.close();
    await reader.close();
  }
}

/**
 * Checks that InfluxDB accepts writes, with an empty one. A dry run goes on in any case.
 * @returns of a dry run: why every write would be refused; undefined if writes are accepted or this is not known
 */
async function checkWrites(influxdb: InfluxClient, { dryRun, hasToken }: LoadOptions): Promise<string | undefined> {
  // Then nobody has named the InfluxDB of the load yet.
  if (dryRun && !hasToken) return undefined;
  try {
    assertHealthy(await checkHealth(influxdb, adviceOf(hasToken)));
  } catch (error) {
    if (!dryRun) throw error;
    if (error instanceof InfluxDBWriteError) return error.message;
  }
  return undefined;
}

const ADVICE: DatasetAdvice = {
  choose: (name) => `add --dataset ${name}`,
  mapping: '--mapping FILE',
  propose: (file) => commandLine('infer', [file]),
};

function absentText(name: string, { column, similar }: AbsentColumn): string {
  const hint = similar === undefined ? '' : ` (did you mean ${similar}?)`;
  if (column.includes('*')) return `warning: ${name} has no column that matches ${column}, a pattern of the mapping`;
  return `warning: ${name} has no column ${column}, which the mapping names${hint}`;
}

function unreadText(bucket: string, reason: string): string {
  return `Bucket ${bucket} was not read, so types and retention are not checked against it: ${reason}`;
}

function retentionText(bucket: string, seconds: number): string {
  return `Bucket ${bucket} keeps points for ${periodText(seconds)}: InfluxDB refuses older points, or deletes them soon`;
}

function adviceOf(hasToken: boolean): HealthAdvice {
  return {
    unreachable: 'check that InfluxDB, or npm start, is running there, or set another URL with --url',
    unauthorized: hasToken ? 'the token is not valid: set another one with --token' : 'no token is set: use --token',
    useEngine: (engine) => `use --engine ${engine}`,
    missing: {
      org: 'name yours with --org (default ons-energy)',
      bucket: 'name yours with --bucket (default energy_data), and create it first',
    },
  };
}

/** Prints warnings above the progress bar. It ignores errors, because a failed batch is reported with its item. */
function noting(progress: Progress): Logger {
  const silent = (): void => undefined;
  const warn: Logger['warn'] = (message, fields) => {
    const reason = typeof fields?.reason === 'string' ? `: ${fields.reason}` : '';
    progress.note(`${message}${reason}`);
  };
  return { debug: silent, info: silent, warn, error: silent };
}
