/** The command line of `npm run load`. */
import { parseArgs } from 'node:util';
import type { Environment } from 'shared/environment';
import type { HealthAdvice } from 'shared/influxdb/health';
import { UsageError } from '../command/program';
import { type SettingOptions, settingsOf } from '../command/settings';

export const USAGE = `npm run load -- FILE|DIR|s3://BUCKET/KEY-OR-PREFIX [options]
  --url URL          InfluxDB (INFLUXDB_URL, or http://localhost:8086)
  --org ORG          its organization (INFLUXDB_ORG, or ons-energy)
  --bucket BUCKET    its bucket (INFLUXDB_BUCKET, or energy_data)
  --token TOKEN      its token (INFLUXDB_TOKEN, or INFLUXDB_TOKEN_SECRET_NAME)
  --engine v2|v3     the version of InfluxDB (v2)
  --dataset NAME     the dataset of every file; by default each path tells its own
  --batch-size N     lines a batch (1,000; 10,000 for v3)
  --max-retries N    retries of a batch (3)
  --concurrency N    batches in flight (4; 16 for v3)
  --tolerate PERCENT failed parts that do not end the load (0)
  --dry-run          read and validate everything, write nothing
  --json             print the summary as JSON
  --help             show this

All settings of the functions hold here too, as environment variables. A path that ends in .parquet is one file; any other s3://
path is a prefix. Exit code: 0 when everything is stored, 1 when something is not, 2 for bad arguments.`;

export const SETTING_OPTIONS: SettingOptions = {
  INFLUXDB_URL: 'url',
  INFLUXDB_ORG: 'org',
  INFLUXDB_BUCKET: 'bucket',
  INFLUXDB_TOKEN: 'token',
  INFLUXDB_ENGINE: 'engine',
  MAX_BATCH_SIZE: 'batch-size',
  MAX_RETRIES: 'max-retries',
  WRITE_CONCURRENCY: 'concurrency',
};

export interface Arguments {
  /** A path, or s3://bucket/key. */
  readonly source: string;
  readonly dataset: string | undefined;
  readonly tolerated: number;
  readonly dryRun: boolean;
  readonly json: boolean;
  /** The settings as environment variables. */
  readonly settings: Environment;
  readonly advice: HealthAdvice;
}

/** Undefined where help is asked for. @throws UsageError */
export function readArguments(argv: readonly string[], environment: Environment): Arguments | undefined {
  const { values, positionals } = parse(argv);
  if (values.help) return undefined;
  const [source, ...others] = positionals;
  if (source === undefined) throw new UsageError('name a file, a folder or an s3:// address to load');
  if (others.length > 0) throw new UsageError(`name one source, not ${positionals.length}`);
  const tolerated = Number(values.tolerate ?? 0);
  if (!(tolerated >= 0 && tolerated <= 100)) throw new UsageError('--tolerate must be a number from 0 to 100');
  const { INFLUXDB_TOKEN_SECRET_NAME: secret, ...given } = environment;
  const givenToken = values.token ?? given.INFLUXDB_TOKEN;
  // A local connector asks for no token.
  const token = givenToken ?? (secret === undefined ? 'none' : undefined);
  const settings = {
    INFLUXDB_URL: 'http://localhost:8086',
    ...settingsOf(SETTING_OPTIONS, values, given),
    ...(token === undefined ? { INFLUXDB_TOKEN_SECRET_NAME: secret } : { INFLUXDB_TOKEN: token }),
  };
  const { dataset, json, 'dry-run': dryRun } = values;
  const advice = adviceOf(givenToken !== undefined || secret !== undefined);
  return { source, dataset, tolerated, dryRun, json, settings, advice };
}

function adviceOf(hasToken: boolean): HealthAdvice {
  return {
    unreachable: 'is InfluxDB, or npm start, running there? --url names another one',
    unauthorized: hasToken ? 'the token is wrong: give another one with --token' : 'no token was given: use --token',
    useEngine: (engine) => `use --engine ${engine}`,
  };
}

function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...{ url: text, org: text, bucket: text, token: text, engine: text, dataset: text, tolerate: text },
        ...{ 'batch-size': text, 'max-retries': text, concurrency: text },
        ...{ 'dry-run': flag, json: flag, help: flag },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
