/** The configuration of the loader's functions: each gets the part it needs, checked as a whole, never changed. */
import { type Environment, EnvironmentReader, type ObserveSetting } from './environment';
import type { Engine, Target } from './influxdb/protocol';
import type { LogLevel } from './logger';
import { DEFAULT_NAMESPACE } from './metrics';
import type { BatchLimits } from './points/batch-buffer';

const LOG_LEVELS: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];
/** InfluxDB 3 takes 10 MB, decompressed; a batch holds this much unless its lines are fewer. */
const BATCH_BYTES = 4 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/**
 * What each version of InfluxDB is written to best with. InfluxDB 2 acknowledges a write within milliseconds; InfluxDB 3 when its WAL is
 * flushed, about once a second, so many large batches have to wait for one flush together.
 */
const WRITING: Readonly<Record<Engine, { readonly lines: number; readonly concurrency: number }>> = {
  v2: { lines: 1_000, concurrency: 4 },
  v3: { lines: 10_000, concurrency: 16 },
};
/** The part of the memory that lines in flight may take; with their buffers and compressed bodies four times as much. */
const IN_FLIGHT_SHARE = 1 / 32;

/** Where datasets and intermediate results are: what planning and summing up need. */
export interface PlanningConfig {
  /** Keeps plans, results, rejected rows and summaries. */
  readonly workBucket: string;
  /** Users' dataset mappings: JSON, or `s3://bucket/key` of an object that holds it. */
  readonly datasetMappings: string | undefined;
  readonly validateSchema: boolean;
  /** LoadBatch invocations that can run at once; undefined where the account's limit alone holds. */
  readonly reservedConcurrency: number | undefined;
  readonly logLevel: LogLevel;
}

/** What reading Parquet and writing to InfluxDB need. */
export interface LoaderConfig extends Omit<PlanningConfig, 'workBucket'> {
  /** Takes the rejected rows; undefined to keep none. */
  readonly workBucket: string | undefined;
  readonly target: Target;
  /** The token, or the name of the secret that holds it. */
  readonly token: { readonly value: string } | { readonly secretName: string };
  readonly batchLimits: BatchLimits;
  /** zlib's level; 0 sends plain text. */
  readonly gzipLevel: number;
  /** Batches in flight at once, and the bytes of lines above which no further one is taken. */
  readonly concurrency: number;
  readonly maxBytesInFlight: number;
  readonly maxRetries: number;
  readonly dropInvalid: boolean;
  readonly skipFailedBatches: boolean;
  readonly maxRowGroupBytes: number;
  /** CloudWatch's namespace; undefined to send no metrics. */
  readonly metricsNamespace: string | undefined;
}

/** What starting and describing executions needs. */
export interface WorkflowConfig {
  readonly stateMachineArn: string;
  readonly workBucket: string;
  readonly datasetMappings: string | undefined;
  readonly logLevel: LogLevel;
}

/**
 * The configuration of LoadBatch, LoadObject, CheckInfluxDB and the command line; names and defaults are the old loader's where it has them.
 * @throws ConfigurationError that lists every problem
 */
export function loadLoaderConfig(environment: Environment = process.env, observe?: ObserveSetting): LoaderConfig {
  const env = new EnvironmentReader(environment, observe);
  const engine = env.oneOf<Engine>('INFLUXDB_ENGINE', ['v2', 'v3'], 'v2');
  const sendsMetrics = env.boolean('ENABLE_METRICS', true);
  const namespace = env.text('METRICS_NAMESPACE', DEFAULT_NAMESPACE);
  // Reading a row group takes about three times its compressed bytes.
  const memory = env.integer('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 1_024, { min: 128, max: 10_240 });
  const config = {
    ...datasets(env),
    workBucket: env.optional('WORK_BUCKET'),
    target: {
      engine,
      url: influxUrl(env),
      org: env.text('INFLUXDB_ORG', 'ons-energy'),
      bucket: env.text('INFLUXDB_BUCKET', 'energy_data'),
    },
    token: token(env),
    batchLimits: {
      lines: env.integer('MAX_BATCH_SIZE', WRITING[engine].lines, { min: 1, max: 100_000 }),
      bytes: env.integer('MAX_BATCH_BYTES', BATCH_BYTES, { min: 65_536, max: 10_000_000 }),
    },
    gzipLevel: env.integer('GZIP_LEVEL', 1, { min: 0, max: 9 }),
    concurrency: env.integer('WRITE_CONCURRENCY', WRITING[engine].concurrency, { min: 1, max: 64 }),
    maxBytesInFlight: memory * MEGABYTE * IN_FLIGHT_SHARE,
    maxRetries: env.integer('MAX_RETRIES', 3, { min: 0, max: 20 }),
    dropInvalid: env.boolean('DROP_INVALID_RECORDS', true),
    skipFailedBatches: env.boolean('SKIP_FAILED_BATCHES', false),
    maxRowGroupBytes: env.integer('MAX_ROW_GROUP_MB', Math.floor(memory / 4), { min: 1, max: 4_096 }) * MEGABYTE,
    metricsNamespace: sendsMetrics ? namespace : undefined,
  };
  env.check();
  return Object.freeze(config);
}

/**
 * The configuration of DetectDataset, PlanLoad and SummarizeLoad, which need no InfluxDB.
 * @throws ConfigurationError that lists every problem
 */
export function loadPlanningConfig(environment: Environment = process.env, observe?: ObserveSetting): PlanningConfig {
  const env = new EnvironmentReader(environment, observe);
  const config = { ...datasets(env), workBucket: env.required('WORK_BUCKET') };
  env.check();
  return Object.freeze(config);
}

/**
 * The configuration of StartLoad and DescribeLoad.
 * @throws ConfigurationError that lists every problem
 */
export function loadWorkflowConfig(environment: Environment = process.env, observe?: ObserveSetting): WorkflowConfig {
  const env = new EnvironmentReader(environment, observe);
  const config = {
    stateMachineArn: env.required('STATE_MACHINE_ARN'),
    workBucket: env.required('WORK_BUCKET'),
    datasetMappings: env.optional('DATASET_MAPPINGS'),
    logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'INFO'),
  };
  env.check();
  return Object.freeze(config);
}

function datasets(env: EnvironmentReader) {
  const isCapped = env.optional('LOADER_RESERVED_CONCURRENCY') !== undefined;
  const cap = env.integer('LOADER_RESERVED_CONCURRENCY', 1, { min: 1, max: 10_000 });
  return {
    datasetMappings: env.optional('DATASET_MAPPINGS'),
    validateSchema: env.boolean('VALIDATE_SCHEMA', true),
    reservedConcurrency: isCapped ? cap : undefined,
    logLevel: env.oneOf('LOG_LEVEL', LOG_LEVELS, 'INFO'),
  };
}

function influxUrl(env: EnvironmentReader): string {
  const name = 'INFLUXDB_URL';
  const url = env.required(name);
  if (url === '') return url;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!/^https?:$/.test(parsed?.protocol ?? '')) {
    // What stands before an @ may be a password.
    const given = url.includes('@') ? '' : `, not '${url}'`;
    env.problem(name, `must be a URL with http or https, and its port${given}`);
  } else if (parsed?.username || parsed?.password) env.problem(name, 'may hold no credentials: give INFLUXDB_TOKEN');
  return url.replace(/\/+$/, '');
}

function token(env: EnvironmentReader): LoaderConfig['token'] {
  const value = env.optional('INFLUXDB_TOKEN');
  const secretName = env.optional('INFLUXDB_TOKEN_SECRET_NAME');
  if ((value === undefined) === (secretName === undefined)) {
    env.problem('INFLUXDB_TOKEN or INFLUXDB_TOKEN_SECRET_NAME', 'must be given, one of the two');
  } else if (value !== undefined && !/^[\x21-\x7e]+$/.test(value)) {
    env.problem('INFLUXDB_TOKEN', 'has characters that no token has');
  }
  return secretName === undefined ? { value: value ?? '' } : { secretName };
}
