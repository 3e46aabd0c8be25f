/** Names and defaults of the settings of the programs that this project replaces. */

/** Parameters of the AWS connector in Rust with the same default in this project. */
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

/** Parameters that set the environment variables of the Python loader. */
export const OLD_LOADER_DEFAULTS = {
  InfluxDBOrg: 'ons-energy',
  InfluxDBBucket: 'energy_data',
  MaxRetries: 3,
  EnableMetrics: 'true',
  ValidateSchema: 'true',
  DropInvalidRecords: 'true',
};
