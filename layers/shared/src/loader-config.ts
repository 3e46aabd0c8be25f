/** The configuration of the loader's functions. Each function gets the part that it needs, validated and frozen. */
import { type Environment, EnvironmentReader, LOG_LEVELS, type ObserveSetting } from './environment';
import type { Engine } from './influxdb/protocol';
import { type InfluxDBSettings, readInfluxDB } from './influxdb-config';
import type { LogLevel } from './logger';
import { DEFAULT_NAMESPACE } from './metrics';
import type { BatchLimits } from './points/batch-buffer';

/** Default size of a batch. InfluxDB 3 accepts 10 MB, decompressed. */
const BATCH_BYTES = 4 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/**
 * Defaults of batch size and concurrency for each version of InfluxDB. InfluxDB 2 acknowledges a write within milliseconds. InfluxDB 3
 * acknowledges it when it flushes the WAL, about once a second, so many large batches should wait for one flush together.
 */
const WRITING: Readonly<Record<Engine, { readonly lines: number; readonly concurrency: number }>> = {
  v2: { lines: 1_000, concurrency: 4 },
  v3: { lines: 10_000, concurrency: 16 },
};
/** The share of the memory for lines in flight. With their buffers and compressed bodies they take four times as much. */
const IN_FLIGHT_SHARE = 1 / 32;

/** The configuration for planning and summarizing: datasets and the work bucket. */
export interface PlanningConfig {
  /** The bucket for plans, results, invalid rows and summaries. */
  readonly workBucket: string;
  /** The user's dataset mappings: JSON, or `s3://bucket/key` of an object with the JSON. */
  readonly datasetMappings: string | undefined;
  readonly validateSchema: boolean;
  /** Maximum concurrent invocations of LoadBatch; undefined if only the limit of the account applies. */
  readonly reservedConcurrency: number | undefined;
  readonly logLevel: LogLevel;
}

/** The configuration for reading Parquet and writing to InfluxDB. */
export interface LoaderConfig extends Omit<PlanningConfig, 'workBucket'>, InfluxDBSettings {
  /** The bucket for invalid rows; undefined to keep no rows. */
  readonly workBucket: string | undefined;
  readonly batchLimits: BatchLimits;
  /** Maximum number of batches in flight. */
  readonly concurrency: number;
  /** Maximum bytes of lines in flight; one batch may exceed it. */
  readonly maxBytesInFlight: number;
  readonly maxRetries: number;
  readonly dropInvalid: boolean;
  readonly skipFailedBatches: boolean;
  readonly maxRowGroupBytes: number;
  /** The namespace in CloudWatch; undefined to send no metrics. */
  readonly metricsNamespace: string | undefined;
}

/** The configuration of the steps of a migration. */
export interface MigrationConfig extends LoaderConfig {
  readonly workBucket: string;
  /** URL of the Timestream Query API; undefined to discover the region's endpoint. */
  readonly queryEndpoint: string | undefined;
  /** ARN of the KMS key that encrypts the exported files; undefined for S3's own key. */
  readonly exportKmsKey: string | undefined;
}

/** What the input of a migration has by default. */
export interface MigrationDefaults {
  /** The database; undefined if the input must name one. */
  readonly database: string | undefined;
  /** `s3://bucket/prefix/` of the exported files. */
  readonly export: string;
}

/** The configuration for starting and describing executions. */
export interface WorkflowConfig {
  readonly stateMachineArn: string;
  readonly workBucket: string;
  readonly datasetMappings: string | undefined;
  readonly logLevel: LogLevel;
}

/**
 * The configuration of LoadBatch, LoadObject, CheckInfluxDB and the command line. Settings that the original loader has keep their names
 * and defaults.
 * @throws ConfigurationError that lists every problem
 */
export function loadLoaderConfig(environment: Environment = process.env, observe?: ObserveSetting): LoaderConfig {
  const env = new EnvironmentReader(environment, observe);
  const influxDB = readInfluxDB(env);
  const { engine } = influxDB.target;
  const sendsMetrics = env.boolean('ENABLE_METRICS', true);
  const namespace = env.text('METRICS_NAMESPACE', DEFAULT_NAMESPACE);
  // Reading a row group takes about three times its compressed size.
  const memory = env.integer('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 1_024, { min: 128, max: 10_240 });
  const config = {
    ...datasets(env),
    workBucket: env.optional('WORK_BUCKET'),
    ...influxDB,
    batchLimits: {
      lines: env.integer('MAX_BATCH_SIZE', WRITING[engine].lines, { min: 1, max: 100_000 }),
      bytes: env.integer('MAX_BATCH_BYTES', BATCH_BYTES, { min: 65_536, max: 10_000_000 }),
    },
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
 * The configuration of DetectDataset, PlanLoad and SummarizeLoad, which do not connect to InfluxDB.
 * @throws ConfigurationError that lists every problem
 */
export function loadPlanningConfig(environment: Environment = process.env, observe?: ObserveSetting): PlanningConfig {
  const env = new EnvironmentReader(environment, observe);
  const config = { ...datasets(env), workBucket: env.required('WORK_BUCKET') };
  env.check();
  return Object.freeze(config);
}

/**
 * The configuration of Survey, Export, Verify and Report.
 * @throws ConfigurationError that lists every problem
 */
export function loadMigrationConfig(environment: Environment = process.env, observe?: ObserveSetting): MigrationConfig {
  const env = new EnvironmentReader(environment, observe);
  const own = {
    workBucket: env.required('WORK_BUCKET'),
    queryEndpoint: queryEndpoint(env),
    exportKmsKey: env.optional('EXPORT_KMS_KEY_ARN'),
  };
  env.check();
  return Object.freeze({ ...loadLoaderConfig(environment, observe), ...own });
}

/**
 * The configuration of Survey and StartMigration beside that of their kind.
 * @throws ConfigurationError that lists every problem
 */
export function loadMigrationDefaults(
  environment: Environment = process.env,
  observe?: ObserveSetting,
): MigrationDefaults {
  const env = new EnvironmentReader(environment, observe);
  const config = { database: env.optional('MIGRATION_DATABASE'), export: env.required('MIGRATION_EXPORT') };
  env.check();
  return Object.freeze(config);
}

/**
 * Reads the configuration of StartLoad and DescribeLoad, StartMigration and DescribeMigration.
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

/** If the SDK reads the variable itself, it uses only the host name. */
function queryEndpoint(env: EnvironmentReader): string | undefined {
  const name = 'AWS_ENDPOINT_URL_TIMESTREAM_QUERY';
  const url = env.optional(name);
  if (url !== undefined && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    env.problem(name, `must be a URL with http or https, not '${url}'`);
  }
  return url;
}
