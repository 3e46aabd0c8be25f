/** The configuration of the connector's functions: read from the environment at cold start, validated as a whole, immutable. */
import type { Tag } from '@aws-sdk/client-timestream-write';
import { type DestinationConfig, readDestinations } from './destination-config';
import { type Environment, EnvironmentReader, LOG_LEVELS, type ObserveSetting } from './environment';
import type { LogLevel } from './logger';
import { dimensionNameProblem, recordNameProblem, tableNameProblem } from './timestream/limits';
import type { SeriesMapping } from './timestream/series';
import type { PartitionKey, TableSettings } from './timestream/tables';

/** Maximum sizes of a request. */
export interface RequestBounds {
  readonly maxCompressedBytes: number;
  readonly maxDecompressedBytes: number;
  readonly maxLineBytes: number;
  readonly maxLines: number;
  readonly maxTagsAndFields: number;
  readonly maxNewTables: number;
}

export interface ConnectorConfig extends DestinationConfig {
  readonly region: string;
  /** URL of Timestream; undefined to discover the endpoint. */
  readonly timestreamEndpoint: string | undefined;
  readonly mapping: SeriesMapping;
  readonly tables: TableSettings;
  readonly bounds: RequestBounds;
  /** Deadline of a request, ms after its arrival. */
  readonly writeDeadlineMs: number;
  readonly asynchronous: boolean;
  /** Name of the write function, which invokes itself in asynchronous mode. */
  readonly functionName: string | undefined;
  /** Queue for the requests of asynchronous mode that cannot be stored. */
  readonly deadLetterQueueUrl: string | undefined;
  /** Bucket for rejected lines; undefined to keep none. */
  readonly rejectedLinesBucket: string | undefined;
  /** Origins of web pages that may send requests from a browser; `*` allows all, an empty list none. */
  readonly corsAllowedOrigins: readonly string[];
  /** The metrics in CloudWatch; undefined to write none. */
  readonly metrics: { readonly namespace: string; readonly perTable: boolean } | undefined;
  readonly logLevel: LogLevel;
}

/**
 * Reads the configuration of the connector. Variables of the original connector keep their names and defaults.
 * @throws ConfigurationError that lists every problem
 */
export function loadConnectorConfig(environment: Environment = process.env, observe?: ObserveSetting): ConnectorConfig {
  const env = new EnvironmentReader(environment, observe);
  const deadline = env.integer('write_deadline_millis', 4_500, { min: 100, max: 900_000 });
  const gatewayTimeout = env.integer('rest_api_gateway_timeout_in_millis', 29_000, { min: 1_100, max: 900_000 });
  const key = partitionKey(env);
  const config = {
    region: env.optional('region') ?? env.text('AWS_REGION', 'us-east-1'),
    timestreamEndpoint: endpoint(env),
    ...readDestinations(env, observe),
    mapping: mapping(env, key),
    tables: tables(env, key),
    bounds: bounds(env),
    writeDeadlineMs: Math.min(deadline, gatewayTimeout - 1_000),
    asynchronous: env.boolean('enable_async_invocation', false),
    functionName: env.optional('AWS_LAMBDA_FUNCTION_NAME'),
    deadLetterQueueUrl: env.optional('dead_letter_queue_url'),
    rejectedLinesBucket: env.optional('rejected_lines_bucket'),
    corsAllowedOrigins: origins(env),
    metrics: metrics(env),
    logLevel: env.oneOf('log_level', LOG_LEVELS, 'INFO'),
  };
  if (config.asynchronous && (config.functionName === undefined || config.deadLetterQueueUrl === undefined)) {
    env.problem(
      'enable_async_invocation',
      'is true, but needs a Lambda function (AWS_LAMBDA_FUNCTION_NAME) and dead_letter_queue_url',
    );
  }
  if (!config.secondaryRequired && config.deadLetterQueueUrl === undefined) {
    env.problem('secondary_required', 'is false, but needs dead_letter_queue_url for what InfluxDB did not store');
  }
  env.check();
  return Object.freeze(config);
}

function metrics(env: EnvironmentReader): ConnectorConfig['metrics'] {
  const namespace = env.optional('metrics_namespace');
  const perTable = env.boolean('metrics_per_table', false);
  return namespace === undefined ? undefined : { namespace, perTable };
}

/** Memory of the runtime and the function without a request, MB. */
const IDLE_MEGABYTES = 64;

/**
 * The limits of a request. A limit that is missing or 0 is derived from the function's memory, up to a maximum that follows from
 * API Gateway's limits and the deadline. docs/performance.md has the measurements.
 */
function bounds(env: EnvironmentReader): RequestBounds {
  const memory = env.integer('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 10_240, { min: 128, max: 10_240 });
  const free = memory - IDLE_MEGABYTES;
  const bytes = Math.floor((free * 1024 ** 2) / 32);
  const given = (name: string, max: number, fromMemory: number): number =>
    env.integer(name, fromMemory, { min: 0, max }) || fromMemory;
  return {
    maxCompressedBytes: given('max_compressed_bytes', 104_857_600, Math.min(10_485_760, bytes)),
    maxDecompressedBytes: given('max_decompressed_bytes', 268_435_456, Math.min(26_214_400, bytes)),
    maxLineBytes: env.integer('max_line_bytes', 65_536, { min: 64, max: 26_214_400 }),
    maxLines: given('max_lines', 10_000_000, Math.min(100_000, free * 300)),
    maxTagsAndFields: given('max_tags_and_fields', 10_000_000, Math.min(100_000, free * 80)),
    maxNewTables: env.integer('max_new_tables', 100, { min: 1, max: 50_000 }),
  };
}

export interface AuthorizerConfig {
  /** Name of the secret that contains the accepted tokens. */
  readonly tokenSecretName: string;
  readonly logLevel: LogLevel;
}

/**
 * Reads the configuration of the token authorizer.
 * @throws ConfigurationError that lists every problem
 */
export function loadAuthorizerConfig(
  environment: Environment = process.env,
  observe?: ObserveSetting,
): AuthorizerConfig {
  const env = new EnvironmentReader(environment, observe);
  const config = {
    tokenSecretName: env.required('token_secret_name'),
    logLevel: env.oneOf('log_level', LOG_LEVELS, 'INFO'),
  };
  env.check();
  return Object.freeze(config);
}

/** The URL in AWS_ENDPOINT_URL_TIMESTREAM_WRITE or AWS_ENDPOINT_URL. If the SDK reads it itself, it uses only the host name. */
function endpoint(env: EnvironmentReader): string | undefined {
  const name = 'AWS_ENDPOINT_URL_TIMESTREAM_WRITE';
  const url = env.optional(name) ?? env.optional('AWS_ENDPOINT_URL');
  if (url !== undefined && !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    env.problem(name, `must be a URL with http or https, not '${url}'`);
  }
  return url;
}

function mapping(env: EnvironmentReader, key: PartitionKey | undefined): SeriesMapping {
  const singleTable = env.oneOf('table_mapping', ['multi-table', 'single-table'], 'multi-table') === 'single-table';
  const singleTableName = tableName(env, 'single_table_name', 'influxdb-measures');
  return {
    singleTable: singleTable ? singleTableName : undefined,
    measureName: measureName(env),
    defaultDimension: defaultDimension(env),
    requiredDimension: key?.type === 'dimension' && key.enforced ? key.dimension : undefined,
    escapeNames: env.boolean('escape_names', false),
    suffixedFields: suffixedFields(env),
  };
}

/** Format: `measurement:field,field`. The default is for Proxmox VE. */
function suffixedFields(env: EnvironmentReader): SeriesMapping['suffixedFields'] {
  const text = env.text('suffixed_fields', 'system:type');
  if (text === 'none') return [];
  return text.split(',').map((entry) => {
    const at = entry.lastIndexOf(':');
    const field = entry.slice(at + 1).trim();
    const measurement = at < 0 ? undefined : entry.slice(0, at).trim();
    if (field === '' || measurement === '') {
      env.problem('suffixed_fields', `must be measurement:field or field, separated by commas, not '${text}'`);
    }
    return { measurement, field };
  });
}

function tables(env: EnvironmentReader, key: PartitionKey | undefined): TableSettings {
  return {
    database: tableName(env, 'database_name', 'influxdb-line-protocol'),
    createDatabase: env.boolean('enable_database_creation', true),
    createTables: env.boolean('enable_table_creation', true),
    magneticStoreWrites: env.boolean('enable_mag_store_writes', true),
    memoryStoreHours: env.integer('mem_store_retention_period', 12, { min: 1, max: 8_766 }),
    magneticStoreDays: env.integer('mag_store_retention_period', 8_000, { min: 1, max: 73_000 }),
    partitionKey: key,
    kmsKeyId: env.optional('kms_key_id'),
    tags: tags(env),
  };
}

function tableName(env: EnvironmentReader, name: string, fallback: string): string {
  const value = env.text(name, fallback);
  const problem = tableNameProblem(value);
  if (problem !== undefined) env.problem(name, `cannot be used: ${problem}`);
  return value;
}

function measureName(env: EnvironmentReader): string {
  const name = 'measure_name_for_multi_measure_records';
  const value = env.text(name, 'influxdb-measure');
  const problem = recordNameProblem(value);
  if (problem !== undefined) env.problem(name, `cannot be used: ${problem}`);
  return value;
}

function partitionKey(env: EnvironmentReader): PartitionKey | undefined {
  const type = env.optional('custom_partition_key_type');
  const dimension = env.optional('custom_partition_key_dimension');
  const enforced = env.boolean('enforce_custom_partition_key', false);
  if (type !== undefined && type !== 'dimension' && type !== 'measure') {
    env.problem('custom_partition_key_type', `must be dimension or measure, not '${type}'`);
    return undefined;
  }
  if (type !== 'dimension') {
    if (dimension !== undefined)
      env.problem('custom_partition_key_dimension', 'needs custom_partition_key_type=dimension');
    if (enforced) env.problem('enforce_custom_partition_key', 'needs custom_partition_key_type=dimension');
    return type && { type };
  }
  if (dimension === undefined) {
    env.problem('custom_partition_key_dimension', 'is missing: custom_partition_key_type=dimension needs it');
    return undefined;
  }
  const problem = dimensionNameProblem(dimension);
  if (problem !== undefined) env.problem('custom_partition_key_dimension', `cannot be used: ${problem}`);
  return { type, dimension, enforced };
}

/** Format: `name=value`. */
function defaultDimension(env: EnvironmentReader): SeriesMapping['defaultDimension'] {
  const text = env.optional('default_dimension');
  if (text === undefined) return undefined;
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) {
    env.problem('default_dimension', `must be name=value, not '${text}'`);
    return undefined;
  }
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  const problem = dimensionNameProblem(name);
  if (problem !== undefined) env.problem('default_dimension', `cannot be used: ${problem}`);
  if (Buffer.byteLength(text) > 2_048) env.problem('default_dimension', 'is longer than 2,048 bytes');
  return { name, value };
}

/** Format: `https://app.example,http://localhost:3000`, or `*`. A browser's origin must match byte by byte. */
function origins(env: EnvironmentReader): string[] {
  const name = 'cors_allowed_origins';
  const listed = (env.optional(name) ?? '').split(',').map((origin) => origin.trim());
  const found = listed.filter((origin) => origin !== '');
  for (const origin of found) {
    if (origin === '*' || (URL.canParse(origin) && new URL(origin).origin === origin)) continue;
    env.problem(name, `must be * or origins such as https://app.example, separated by commas, not '${origin}'`);
  }
  return found;
}

/** Format: `key=value,key=value`. */
function tags(env: EnvironmentReader): Tag[] {
  const text = env.optional('resource_tags');
  if (text === undefined) return [];
  return text.split(',').map((pair) => {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(0, at)).trim();
    if (key === '') env.problem('resource_tags', `must be key=value,key=value, not '${text}'`);
    return { Key: key, Value: pair.slice(at + 1).trim() };
  });
}
