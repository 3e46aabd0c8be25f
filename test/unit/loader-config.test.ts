import { loadLoaderConfig, loadPlanningConfig, loadWorkflowConfig } from 'shared/loader-config';

const REQUIRED = { INFLUXDB_URL: 'http://influxdb:8086', INFLUXDB_TOKEN: 'token' };

test('has the defaults of the original loader', () => {
  expect(loadLoaderConfig(REQUIRED)).toMatchObject({
    target: { engine: 'v2', url: 'http://influxdb:8086', org: 'ons-energy', bucket: 'energy_data' },
    token: { value: 'token' },
    batchLimits: { lines: 1000 },
    maxRetries: 3,
    validateSchema: true,
    dropInvalid: true,
    skipFailedBatches: false,
    metricsNamespace: 'ONS/InfluxDB',
    reservedConcurrency: undefined,
    workBucket: undefined,
  });
});

test('has larger batches for InfluxDB 3 by default', () => {
  expect(loadLoaderConfig({ ...REQUIRED, INFLUXDB_ENGINE: 'v3' }).batchLimits.lines).toBe(10_000);
  expect(loadLoaderConfig({ ...REQUIRED, INFLUXDB_ENGINE: 'v3', MAX_BATCH_SIZE: '7' }).batchLimits.lines).toBe(7);
});

test('has more writes in flight for InfluxDB 3, and limits their bytes by the memory', () => {
  expect(loadLoaderConfig(REQUIRED)).toMatchObject({ concurrency: 4, maxBytesInFlight: 32 * 1024 * 1024 });
  const v3 = { ...REQUIRED, INFLUXDB_ENGINE: 'v3', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512' };
  expect(loadLoaderConfig(v3)).toMatchObject({ concurrency: 16, maxBytesInFlight: 16 * 1024 * 1024 });
  expect(loadLoaderConfig({ ...v3, WRITE_CONCURRENCY: '32' }).concurrency).toBe(32);
});

test('keeps a path prefix of the URL, and sends no metrics if they are disabled', () => {
  const config = loadLoaderConfig({ ...REQUIRED, INFLUXDB_URL: 'https://host/influx/', ENABLE_METRICS: 'false' });
  expect(config.target.url).toBe('https://host/influx');
  expect(config.metricsNamespace).toBeUndefined();
});

test('reports every problem at once', () => {
  const environment = {
    INFLUXDB_URL: 'influxdb:8086',
    INFLUXDB_TOKEN: 'a',
    INFLUXDB_TOKEN_SECRET_NAME: 'b',
    INFLUXDB_ENGINE: 'v4',
    INFLUXDB_ORG: ' ',
    MAX_BATCH_SIZE: '0',
    MAX_RETRIES: '-1',
    ENABLE_METRICS: 'yes',
    GZIP_LEVEL: '10',
    LOADER_RESERVED_CONCURRENCY: '',
    WORK_BUCKET: '',
  };
  expect(() => loadLoaderConfig(environment)).toThrow(
    expect.objectContaining({ name: 'ConfigurationError', problems: expect.any(Array) }),
  );
  try {
    loadLoaderConfig(environment);
  } catch (error) {
    const { problems } = error as { problems: string[] };
    for (const name of Object.keys(environment)) {
      if (name !== 'INFLUXDB_TOKEN') expect(problems.filter((problem) => problem.includes(name))).not.toEqual([]);
    }
  }
});

test.each([
  ['a missing URL', { INFLUXDB_TOKEN: 'a' }, 'INFLUXDB_URL is missing'],
  [
    'a missing token',
    { INFLUXDB_URL: 'http://x' },
    'INFLUXDB_TOKEN or INFLUXDB_TOKEN_SECRET_NAME must be set (exactly one of them)',
  ],
  [
    'a variable that sam local leaves empty',
    { ...REQUIRED, AWS_SAM_LOCAL: 'true', INFLUXDB_URL: '' },
    'INFLUXDB_URL is missing',
  ],
  ['an empty token', { ...REQUIRED, INFLUXDB_TOKEN: '' }, 'INFLUXDB_TOKEN is empty'],
  [
    'a token with a line break',
    { ...REQUIRED, INFLUXDB_TOKEN: 'secret\n' },
    'INFLUXDB_TOKEN has characters that are not valid in a token',
  ],
  ...['http://x?orgId=1', 'http://x/#/orgs', 'http://x?'].map((url): [string, Record<string, string>, string] => [
    `the URL ${url}`,
    { ...REQUIRED, INFLUXDB_URL: url },
    'INFLUXDB_URL must end before the ? or #',
  ]),
  [
    'credentials in the URL',
    { ...REQUIRED, INFLUXDB_URL: 'http://u:secret@x' },
    'INFLUXDB_URL must not contain credentials',
  ],
])('rejects %s, and shows no secret', (_, environment, problem) => {
  expect(() => loadLoaderConfig(environment)).toThrow(problem);
  expect(() => loadLoaderConfig(environment)).not.toThrow(/secret\b/);
});

test('requires of each function only the settings that it needs', () => {
  expect(loadPlanningConfig({ WORK_BUCKET: 'work', LOADER_RESERVED_CONCURRENCY: '5' })).toMatchObject({
    workBucket: 'work',
    reservedConcurrency: 5,
  });
  expect(() => loadPlanningConfig({})).toThrow('WORK_BUCKET is missing');
  expect(loadWorkflowConfig({ WORK_BUCKET: 'work', STATE_MACHINE_ARN: 'arn' })).toMatchObject({
    stateMachineArn: 'arn',
  });
  expect(() => loadWorkflowConfig({})).toThrow(/STATE_MACHINE_ARN is missing\n.*WORK_BUCKET is missing/);
});
