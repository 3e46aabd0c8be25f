/** The option and help text of each setting, by command. The config.ts files check names, bounds and defaults. */
import type { SettingsTable } from './settings';

export const CONNECTOR_SETTINGS: SettingsTable = {
  region: { value: 'REGION', help: 'AWS region of Timestream' },
  database_name: { value: 'NAME', help: 'Timestream database that stores the points' },
  table_mapping: { value: 'KIND', help: 'multi-table: one table per measurement; single-table: one table for all' },
  single_table_name: { value: 'NAME', help: 'name of the table for single-table' },
  measure_name_for_multi_measure_records: { option: 'measure-name', value: 'NAME', help: 'measure name of records' },
  default_dimension: { value: 'NAME=VALUE', help: 'dimension of points without tags' },
  escape_names: { value: 'BOOLEAN', help: 'store names that Timestream does not accept in an escaped form' },
  suffixed_fields: { value: 'LIST', help: 'fields that are stored with the suffix _field' },
  enable_database_creation: { value: 'BOOLEAN', help: 'create a missing database' },
  enable_table_creation: { value: 'BOOLEAN', help: 'create missing tables' },
  enable_mag_store_writes: { value: 'BOOLEAN', help: 'new tables accept data older than the memory store' },
  mem_store_retention_period: {
    option: 'memory-store-hours',
    value: 'N',
    help: 'memory store retention of new tables, hours',
  },
  mag_store_retention_period: {
    option: 'magnetic-store-days',
    value: 'N',
    help: 'magnetic store retention of new tables, days',
  },
  custom_partition_key_type: { value: 'TYPE', help: 'partition key of new tables: dimension or measure' },
  custom_partition_key_dimension: { value: 'NAME', help: 'dimension of the partition key' },
  enforce_custom_partition_key: { value: 'BOOLEAN', help: 'reject points without that dimension' },
  kms_key_id: { value: 'KEY', help: 'KMS key of a new database' },
  resource_tags: { value: 'KEY=VALUE,...', help: 'AWS tags of new databases and tables' },
  max_compressed_bytes: { value: 'BYTES', help: 'maximum size of a request body as received' },
  max_decompressed_bytes: { value: 'BYTES', help: 'maximum size of a request body after decompression' },
  max_line_bytes: { value: 'BYTES', help: 'maximum size of a line' },
  max_lines: { value: 'N', help: 'maximum lines per request, including blank lines and comments' },
  max_tags_and_fields: { value: 'N', help: 'maximum distinct tags and field keys per request' },
  max_new_tables: { value: 'N', help: 'maximum tables that one request may create' },
  write_deadline_millis: { value: 'MS', help: 'maximum time for one request' },
  rest_api_gateway_timeout_in_millis: {
    option: 'gateway-timeout',
    value: 'MS',
    help: 'upper limit for --write-deadline-millis',
  },
  cors_allowed_origins: { value: 'LIST', help: 'origins of browser pages that may write; the default of start is *' },
  rejected_lines_bucket: { value: 'BUCKET', help: 'S3 bucket that keeps rejected lines' },
  destination: { value: 'WHERE', help: 'where points are stored: timestream, both, or influxdb' },
  influxdb_only_lines: {
    value: 'LIST',
    help: 'with both: limits of Timestream beyond which lines are stored in InfluxDB only; none, all, or a list',
  },
  INFLUXDB_URL: { value: 'URL', help: 'URL of InfluxDB, with its port' },
  INFLUXDB_ORG: { value: 'NAME', help: 'organization' },
  INFLUXDB_BUCKET: { value: 'NAME', help: 'bucket (v2) or database (v3)' },
  INFLUXDB_TOKEN: { value: 'TOKEN', help: 'token of InfluxDB, with write permission' },
  INFLUXDB_TOKEN_SECRET_NAME: {
    option: 'influxdb-token-secret',
    value: 'NAME',
    help: 'secret in AWS Secrets Manager that contains the token',
  },
  INFLUXDB_ENGINE: { value: 'VERSION', help: 'v2 or v3' },
  GZIP_LEVEL: { value: 'N', help: 'compression of writes to InfluxDB on another machine, from 0 (none) to 9 (best)' },
  bucket_mapping: {
    value: 'RULE',
    help: 'configured: --influxdb-bucket for all; passthrough: as in the request; or FROM=TO,...',
  },
  org_mapping: { value: 'RULE', help: 'the same for organizations' },
};

export const LOADER_SETTINGS: SettingsTable = {
  INFLUXDB_URL: { option: 'url', value: 'URL', help: 'URL of InfluxDB, with its port' },
  INFLUXDB_ORG: { option: 'org', value: 'NAME', help: 'organization' },
  INFLUXDB_BUCKET: { option: 'bucket', value: 'NAME', help: 'bucket (v2) or database (v3)' },
  INFLUXDB_TOKEN: { option: 'token', value: 'TOKEN', help: 'token of InfluxDB, with write permission' },
  INFLUXDB_TOKEN_SECRET_NAME: {
    option: 'token-secret',
    value: 'NAME',
    help: 'secret in AWS Secrets Manager that contains the token',
  },
  INFLUXDB_ENGINE: { option: 'engine', value: 'VERSION', help: 'v2 or v3' },
  DATASET_MAPPINGS: { option: 'mapping', value: 'FILE', help: 'dataset mappings: a JSON file, s3:// address or JSON' },
  VALIDATE_SCHEMA: { value: 'BOOLEAN', help: 'refuse files without a required column' },
  DROP_INVALID_RECORDS: {
    option: 'drop-invalid',
    value: 'BOOLEAN',
    help: 'true: drop invalid rows; false: an item with an invalid row fails',
  },
  SKIP_FAILED_BATCHES: { value: 'BOOLEAN', help: 'continue after a batch that failed all its retries' },
  MAX_BATCH_SIZE: { option: 'batch-size', value: 'N', help: 'lines per batch; for v3 the default is 10,000' },
  MAX_BATCH_BYTES: { option: 'batch-bytes', value: 'BYTES', help: 'maximum size of a batch' },
  MAX_RETRIES: { value: 'N', help: 'retries per batch' },
  WRITE_CONCURRENCY: { option: 'concurrency', value: 'N', help: 'batches in flight; for v3 the default is 16' },
  GZIP_LEVEL: { value: 'N', help: 'compression from 0 (none) to 9 (best)' },
  MAX_ROW_GROUP_MB: { value: 'MB', help: 'maximum compressed size of a row group' },
};

/** The settings of a migration: those of a load that apply to exports. */
export const MIGRATION_SETTINGS: SettingsTable = Object.fromEntries(
  Object.entries(LOADER_SETTINGS).filter(
    ([name]) => !['DATASET_MAPPINGS', 'VALIDATE_SCHEMA', 'DROP_INVALID_RECORDS', 'SKIP_FAILED_BATCHES'].includes(name),
  ),
);

export const REDRIVE_SETTINGS: SettingsTable = {
  DEAD_LETTER_QUEUE_URL: { option: 'queue', value: 'URL|NAME', help: 'queue of the messages to replay' },
  PARKING_QUEUE_URL: { option: 'parking', value: 'URL|NAME', help: 'queue for messages that cannot be replayed' },
  WRITE_FUNCTION_NAME: { option: 'write-function', value: 'NAME', help: 'name of the write function' },
  LOAD_OBJECT_FUNCTION_NAME: {
    option: 'load-object-function',
    value: 'NAME',
    help: "name of the loader's load-object function",
  },
  STATE_MACHINE_ARN: { option: 'state-machine', value: 'ARN', help: "state machine of the loader's workflow" },
  MIGRATION_STATE_MACHINE_ARN: {
    option: 'migration-state-machine',
    value: 'ARN',
    help: 'state machine of the migration; needs --state-machine',
  },
  WORK_BUCKET: { option: 'work-bucket', value: 'NAME', help: "the loader's work bucket; needs --state-machine" },
  MESSAGES_PER_SECOND: { option: 'rate', value: 'N', help: 'messages per second' },
  MAX_MESSAGES: { option: 'max-messages', value: 'N', help: 'maximum messages in this run' },
  MAX_TRIES: { option: 'max-tries', value: 'N', help: 'failed replays before a message is parked' },
};

/** Variables without an option, and the reason. */
export const NO_OPTION: Readonly<Record<string, string>> = {
  enable_async_invocation: 'needs Lambda',
  dead_letter_queue_url: 'needs a queue and the redrive of a stack',
  secondary_required: 'needs the dead-letter queue of a stack',
  token_secret_name: 'belongs to the authorizer in API Gateway; start has --token',
  log_level: 'belongs to the JSON log of a function',
  LOG_LEVEL: 'belongs to the JSON log of a function',
  WRITE_TIMEOUT_SECONDS: 'is the timeout of a function; redrive waits as long as a replay takes',
  LOAD_OBJECT_TIMEOUT_SECONDS: 'is the timeout of a function; redrive waits as long as a replay takes',
  WORK_BUCKET: 'is replaced by the folder of --report',
  LOADER_RESERVED_CONCURRENCY: 'belongs to Lambda',
  metrics_namespace: 'belongs to the CloudWatch metrics of a function',
  metrics_per_table: 'belongs to the CloudWatch metrics of a function',
  ENABLE_METRICS: 'belongs to the CloudWatch metrics of a function',
  METRICS_NAMESPACE: 'belongs to the CloudWatch metrics of a function',
};
