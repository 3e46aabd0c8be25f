/** Refuses options of `start` that have no effect together. In the environment their settings may serve other commands, too. */
import type { ConnectorConfig } from 'shared/config';
import { UsageError } from './ending';

type Given = Readonly<Record<string, unknown>>;

const EMBEDDED_OPTIONS = ['memory', 'data-dir', 'timestream-port', 'timestream-host', 'export-dir', 's3-endpoint'];
/** Settings of Timestream. A deployed stack does not use them with `influxdb` either. */
export const TIMESTREAM_OPTIONS = [
  'database-name',
  'table-mapping',
  'single-table-name',
  'measure-name',
  'default-dimension',
  'escape-names',
  'suffixed-fields',
  'enable-database-creation',
  'enable-table-creation',
  'enable-mag-store-writes',
  'memory-store-hours',
  'magnetic-store-days',
  'custom-partition-key-type',
  'custom-partition-key-dimension',
  'enforce-custom-partition-key',
  'kms-key-id',
  'resource-tags',
  'max-tags-and-fields',
  'max-new-tables',
];
const INFLUXDB_OPTIONS = [
  'influxdb-url',
  'influxdb-org',
  'influxdb-bucket',
  'influxdb-token',
  'influxdb-token-secret',
  'influxdb-engine',
  'gzip-level',
  'bucket-mapping',
  'org-mapping',
];
const BOTH_OPTIONS = ['influxdb-only-lines'];

const isGiven =
  (given: Given) =>
  (option: string): boolean =>
    given[option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] !== undefined;

/** @throws UsageError for two options that exclude each other */
export function assertCompatible(given: Given): void {
  const has = isGiven(given);
  const embedded = EMBEDDED_OPTIONS.find(has);
  if (has('aws') && embedded !== undefined) {
    throw new UsageError(
      `--${embedded} belongs to the embedded Timestream, which --aws does not use: give only one of them`,
    );
  }
  if (has('memory') && has('data-dir')) {
    throw new UsageError('--memory keeps data in memory only, without --data-dir: give only one of them');
  }
  if (has('export-dir') && has('s3-endpoint')) {
    throw new UsageError('--export-dir and --s3-endpoint are both places of UNLOAD: give only one of them');
  }
}

/** @throws UsageError for an option that the configuration does not use */
export function assertUsed(given: Given, { destination, mapping }: ConnectorConfig): void {
  const has = isGiven(given);
  const refuse = (options: readonly string[], because: string): void => {
    const option = options.find(has);
    if (option !== undefined) throw new UsageError(`--${option} ${because}`);
  };
  if (destination === 'timestream') refuse(INFLUXDB_OPTIONS, 'needs --destination influxdb or both');
  if (destination !== 'both') refuse(BOTH_OPTIONS, 'needs --destination both');
  if (destination === 'influxdb') {
    const unused = 'belongs to Timestream, which --destination influxdb does not use: leave it out';
    refuse(['aws', ...EMBEDDED_OPTIONS, ...TIMESTREAM_OPTIONS], unused);
  }
  if (mapping.singleTable === undefined) refuse(['single-table-name'], 'needs --table-mapping single-table');
  else refuse(['measure-name'], 'needs --table-mapping multi-table');
}
