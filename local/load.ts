/** `npm run load`: loads Parquet files into InfluxDB from this machine, by the steps of the workflow. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LineWriter } from 'shared/influxdb/client';
import { assertHealthy, checkHealth } from 'shared/influxdb/health';
import { type LoaderConfig, loadLoaderConfig } from 'shared/loader-config';
import { loadMappings } from 'shared/loads/mappings';
import type { Summary } from 'shared/loads/summary';
import type { Logger } from 'shared/logger';
import { influxClient } from '../functions/clients/influxdb';
import { parquetReader } from '../functions/clients/parquet';
import { runProgram } from './command/program';
import { readSettings } from './command/settings';
import { type Arguments, readArguments, SETTING_OPTIONS, USAGE } from './loader/arguments';
import { Progress } from './loader/progress';
import { localSource, WORK } from './loader/source';
import { summaryText } from './loader/summary-text';
import { runLoad } from './loader/workflow';

/** Takes every line and writes none. */
const NOWHERE: LineWriter = {
  encode: (lines) => Promise.resolve({ lines, body: lines }),
  write: () => Promise.resolve({ kind: 'written' }),
};

async function load(args: Arguments, config: LoaderConfig, work: string): Promise<Summary> {
  const { input, objects } = await localSource(args.source, work);
  const progress = new Progress(process.stderr);
  const influxdb = influxClient(config);
  const reader = parquetReader(config);
  const never = new AbortController().signal;
  const mappings = await loadMappings(config.datasetMappings, objects);
  const common = { objects, reader, mappings, deadline: never };
  try {
    const { dataset, tolerated: toleratedFailurePercentage } = args;
    return await runLoad(
      'local',
      { ...input, dataset, toleratedFailurePercentage, maxConcurrency: 1 },
      {
        plan: { ...common, validateSchema: config.validateSchema, workBucket: WORK },
        load: {
          ...common,
          config: { ...config, workBucket: WORK },
          influxdb: args.dryRun ? NOWHERE : influxdb,
          logger: noting(progress),
          onBatch: (lines) => progress.add(lines),
        },
        check: async () => {
          if (!args.dryRun) assertHealthy(await checkHealth(influxdb, args.advice));
        },
        onPlan: ({ rows }) => progress.addTotal(rows),
        onItem: (item, result) => {
          // Rows that became no point.
          if (!(result instanceof Error)) progress.add(item.rows - result.pointsWritten);
          else progress.note(`${result.name}: ${result.message}`);
        },
      },
    );
  } finally {
    progress.end();
    influxdb.close();
    await reader.close();
  }
}

/** Warnings above the bar; that a batch has failed is said of its item. */
function noting(progress: Progress): Logger {
  const silent = (): void => undefined;
  const warn: Logger['warn'] = (message, fields) => {
    const reason = typeof fields?.reason === 'string' ? `: ${fields.reason}` : '';
    progress.note(`${message}${reason}`);
  };
  return { debug: silent, info: silent, warn, error: silent };
}

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2), process.env);
  if (args === undefined) {
    console.log(USAGE);
    return 0;
  }
  const config = readSettings(loadLoaderConfig, args.settings, SETTING_OPTIONS, process.env);
  const work = await mkdtemp(join(tmpdir(), 'load-'));
  try {
    const summary = await load(args, config, work);
    console.log(
      args.json ? JSON.stringify({ ...summary, dryRun: args.dryRun }, null, 2) : summaryText(summary, args.dryRun),
    );
    return summary.statusCode === 200 ? 0 : 1;
  } finally {
    const keeps =
      existsSync(join(work, 'loads/local/failed-items.jsonl')) || existsSync(join(work, 'loads/local/invalid'));
    if (keeps) console.error(`What failed is described in ${join(work, 'loads/local')}`);
    else await rm(work, { recursive: true });
  }
}

runProgram(main, USAGE);
