/** Migrates tables of Timestream to InfluxDB from this machine, with the steps of the deployed workflow. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { number } from 'shared/count-text';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { InfluxDBWriteError } from 'shared/errors';
import { hostOf } from 'shared/host';
import type { HealthAdvice, HealthReport } from 'shared/influxdb/health';
import { assertHealthy, checkHealth } from 'shared/influxdb/health';
import type { LoaderConfig } from 'shared/loader-config';
import type { ObjectStore, ObjectVersion } from 'shared/loads/objects';
import type { Summary } from 'shared/loads/summary';
import { migrationProgress } from 'shared/migration/progress';
import type { MigrationRequest } from 'shared/migration/request';
import { type MigrationEvent, UNLOAD_INTERVAL_MS } from 'shared/migration/services';
import type { LoadWindow, ReportOutput } from 'shared/migration/steps';
import { WINDOW_LIMITS } from 'shared/migration/windows';
import { timeText } from 'shared/nanoseconds';
import { ParquetReader } from 'shared/parquet/reader';
import { systemClock } from 'shared/resilience/clock';
import { Pacer } from 'shared/resilience/pacer';
import { influxClient } from '../../functions/clients/influxdb';
import { timestreamQuery } from '../../functions/clients/timestream-query';
import { assertAwsAccess } from '../cli/aws';
import { UsageError } from '../cli/ending';
import { Progress } from '../loader/progress';
import { WORK } from '../loader/report-folder';
import { runLoad } from '../loader/workflow';
import { runsFolder } from '../runs/folder';
import {
  endMigrationRun,
  recordEvent,
  recordProgress,
  recordStep,
  recordWindow,
  startMigrationRun,
} from '../runs/migration-run';
import { earlierMigrations, type GivenPlaces, sameMigration, saveGivenPlaces } from './earlier';
import { assertExportsAreFound } from './export-place';
import { lockMigration } from './lock';
import { places, regionOf, removeObjects, WORK_FOLDER } from './places';
import { InterruptedError, runMigration } from './workflow';

export interface MigrateOptions {
  /** Without `export`, which follows from `exportTo`. */
  readonly request: Omit<MigrationRequest, 'export'>;
  /** A folder or an s3:// address. */
  readonly exportTo: string;
  /** The URL of the embedded Timestream, or a region of Amazon Timestream. */
  readonly timestream: string;
  readonly advice: HealthAdvice;
  readonly signal: AbortSignal;
}

export interface MigrateOutcome extends ReportOutput {
  /** The objects of the migration, and the bucket of its report. */
  readonly objects: ObjectStore;
  readonly workBucket: string;
}

/** @throws UsageError, ConfigurationError, InterruptedError, or the error of a step that stops all windows */
export async function migrate(options: MigrateOptions, config: LoaderConfig): Promise<MigrateOutcome> {
  const { timestream, signal, exportTo } = options;
  const region = regionOf(timestream);
  const isEmbedded = region === undefined;
  if (isEmbedded) await assertListening(timestream);
  const query = await queryCall(timestream, region);
  const { objects, exportUri } = await places(exportTo, region);
  const request: MigrationRequest = { ...options.request, export: exportUri };
  const given = { exportTo: exportTo.startsWith('s3://') ? exportTo : resolve(exportTo), timestream };
  const { id, input } = identified(request, given, config);
  const unlock = lockMigration(WORK_FOLDER, id);
  saveGivenPlaces(WORK_FOLDER, id, given);
  const progress = new Progress(process.stderr, { unit: 'rows' });
  const recorder = request.dryRun ? undefined : startMigrationRun(runsFolder(), id, request, config.target);
  const influxdb = influxClient(config);
  // The bundler puts the worker beside the program.
  const reader = new ParquetReader({ ...config, workerFile: join(__dirname, 'parquet-worker.cjs') });
  const common = { objects, reader, mappings: BUILT_IN_MAPPINGS, detection: {}, deadline: signal };
  const logger = noting(progress);
  const run = Date.now().toString(36);
  let loads = 0;
  const load = ({ input: source, table }: LoadWindow): Promise<Summary> => {
    loads += 1;
    const loadId = `${id}-${run}-${loads}`.slice(-80);
    const loaded = runLoad(
      loadId,
      { ...source, toleratedFailurePercentage: 100, maxConcurrency: 1 },
      {
        signal,
        plan: { ...common, validateSchema: false, workBucket: WORK },
        load: {
          ...common,
          config: { ...config, workBucket: WORK },
          influxdb,
          logger,
          onBatch: (lines) => {
            progress.add(lines);
            recorder?.addPoints(lines);
          },
        },
        check: () => Promise.resolve(),
        onItem: (_, result) => {
          if (result instanceof Error && !signal.aborted) progress.note(`${table}: ${result.name}: ${result.message}`);
        },
      },
    );
    if (recorder) recordWindow(recorder, loaded);
    return loaded;
  };
  try {
    const queries = { query, clock: systemClock, deadline: signal };
    const unloads = new Pacer(UNLOAD_INTERVAL_MS);
    const checkPlace = async (): Promise<void> => {
      if (!isEmbedded) return;
      const remove = (files: readonly ObjectVersion[]) => removeObjects(exportTo, region, files);
      await unloads.turn(signal);
      // Named as an attempt of a window, so that `clean` deletes what a killed process leaves there.
      const folder = `${request.database}/check-of-place/0-0-${id}-${Date.now()}`;
      await assertExportsAreFound({ exportTo, exportUri, objects, remove }, folder, queries);
    };
    const report = await runMigration(id, input, {
      ...queries,
      objects,
      workBucket: WORK,
      influxdb,
      now: Date.now,
      unloads,
      limits: WINDOW_LIMITS,
      load,
      check: async () => assertUsable(await checkHealth(influxdb, options.advice), request),
      checkPlace,
      onSurvey: async ({ migrationId, rows, next }) => {
        if (next === 'Export') progress.addTotal(rows);
        // A migration that goes on has windows that are loaded already.
        const earlier = await migrationProgress(migrationId, { objects, workBucket: WORK, deadline: signal });
        if (earlier && recorder) recordProgress(recorder, earlier);
      },
      onExport: (exported) => recorder?.setWindows(() => ({ exported: exported.exported })),
      onStep: (step) => {
        if (recorder) recordStep(recorder, step);
      },
      onEvent: (event) => {
        if (recorder) recordEvent(recorder, event);
        const text = eventText(event);
        if (text !== undefined) progress.note(text);
      },
    });
    if (recorder) await endMigrationRun(recorder, report, { objects, workBucket: WORK });
    return { ...report, objects, workBucket: WORK };
  } catch (error) {
    if (error instanceof InterruptedError) recorder?.end({ status: 'interrupted' });
    else recorder?.fail(error);
    throw error;
  } finally {
    progress.end();
    influxdb.close();
    await reader.close();
    unlock();
  }
}

/** InfluxDB 3 creates a missing database with the first write, so only InfluxDB 2 must let itself be read before. */
function assertUsable(report: HealthReport, { verify }: Pick<MigrationRequest, 'verify'>): void {
  assertHealthy(report);
  const read = report.checks.find(({ name, status }) => name === 'read' && status === 'fail');
  if (read === undefined || verify === 'none' || report.engine !== 'v2') return;
  throw new InfluxDBWriteError(
    `InfluxDB cannot be read: ${read.detail}: use a token that may also read the bucket, because the proof does, or --verify none`,
  );
}

/**
 * The migration to go on with, or a new one. The same command goes on with a migration that was stopped or has failed; after a proved one it
 * starts anew.
 */
function identified(request: MigrationRequest, given: GivenPlaces, { target }: LoaderConfig) {
  const id = new Date().toISOString().replace(/[:.]/g, '-');
  if (request.dryRun) return { id, input: request };
  const same = sameMigration(earlierMigrations(WORK_FOLDER), request, given, target);
  if (request.verifyOnly) {
    if (same)
      return { id: same.migration.migrationId, input: { resume: same.migration.migrationId, verifyOnly: true } };
    throw new UsageError(
      '--verify-only: no earlier migration has the same options. Run it without --verify-only first',
    );
  }
  const isEnded = same?.status === 'proved' || same?.status === 'loaded';
  if (!same || isEnded) return { id, input: request };
  console.error(`Going on with the migration ${same.migration.migrationId}`);
  return { id: same.migration.migrationId, input: { resume: same.migration.migrationId } };
}

/** @throws UsageError if nothing listens at the URL of the embedded Timestream */
async function assertListening(url: string): Promise<void> {
  try {
    const server = new URL(url);
    const socket = connect(Number(server.port) || (server.protocol === 'https:' ? 443 : 80), hostOf(server));
    await once(socket, 'connect').finally(() => socket.destroy());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ECONNREFUSED' && code !== 'ENOTFOUND') return;
    throw new UsageError(
      `--timestream: nothing listens at ${url} (${code}): start it with \`influxdb-timestream start\`, or set another URL`,
    );
  }
}

async function queryCall(timestream: string, region: string | undefined) {
  if (region !== undefined) {
    const { TimestreamQueryClient } = await import('@aws-sdk/client-timestream-query');
    await assertAwsAccess(new TimestreamQueryClient({ region }).config);
    return timestreamQuery({ region });
  }
  // The embedded Timestream checks no credentials, but the SDK cannot sign without them.
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return timestreamQuery({ region: 'us-east-1', credentials, endpoint: timestream, maxAttempts: 1 });
}

function eventText(event: MigrationEvent): string | undefined {
  if (event.kind === 'surveyed') {
    return `${event.table}: ${number(event.rows, 'row')} in ${number(event.windows, 'window')}`;
  }
  if (event.kind === 'exported') return `${event.table}: exported ${number(event.rows, 'row')}`;
  if (event.kind === 'split') return `${event.table}: a window was too large, and is exported in halves`;
  if (event.kind === 'failed') return `${event.table}: ${event.reason}`;
  if (event.kind === 'verified' && event.differences > 0) {
    return `${event.table}: ${number(event.differences, 'difference')} in the window ${spanText(event.window)}`;
  }
  return undefined;
}

/** The times of a window, which is named by its first and its last ns. */
function spanText(window: string): string {
  const [, from = '', to = ''] = /^(-?\d+)-(-?\d+)$/.exec(window) ?? [];
  return `${timeText(from)} to ${timeText(to)}`;
}

/** Prints warnings above the progress bar. */
function noting(progress: Progress) {
  const silent = (): void => undefined;
  const warn = (message: string, fields?: { readonly reason?: unknown }): void => {
    progress.note(`${message}${typeof fields?.reason === 'string' ? `: ${fields.reason}` : ''}`);
  };
  return { debug: silent, info: silent, warn, error: silent };
}
