/** What the programs that this project replaces call their settings, and their defaults. */

/** Parameters of the AWS connector in Rust that have their default here. */
export const ORIGINAL_DEFAULTS = {
  DatabaseName: 'influxdb-line-protocol',
  LambdaMemorySize: 128,
  LambdaName: 'influxdb-timestream-connector-lambda',
  LambdaTimeoutInSeconds: 30,
  MeasureNameForMultiMeasureRecords: 'influxdb-measure',
  RestApiGatewayName: 'InfluxDB-Timestream-Connector-REST-API-Gateway',
  RestApiGatewayStageName: 'dev',
  WriteThrottlingBurstLimit: 1200,
  EnableDatabaseCreation: 'true',
  EnableTableCreation: 'true',
  EnableMagStoreWrites: 'true',
  MagStoreRetentionPeriod: 8000,
  MemStoreRetentionPeriod: 12,
  CustomPartitionKeyType: '',
  CustomPartitionKeyDimension: '',
  EnforceCustomPartitionKey: '',
  TableMapping: 'multi-table',
  SingleTableName: 'influxdb-measures',
};

/** Environment variables of the Python loader, as the parameters that set them. */
export const OLD_LOADER_DEFAULTS = {
  InfluxDBOrg: 'ons-energy',
  InfluxDBBucket: 'energy_data',
  MaxRetries: 3,
  EnableMetrics: 'true',
  ValidateSchema: 'true',
  DropInvalidRecords: 'true',
};
