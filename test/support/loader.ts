/** What the tests of the loader's steps share: a store in memory, a reader, an InfluxDB, and the steps wired to them. */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { InfluxClient } from 'shared/influxdb/client';
import { staticToken } from 'shared/influxdb/token';
import { type LoaderConfig, loadLoaderConfig } from 'shared/loader-config';
import type { LoadServices } from 'shared/loads/load-item';
import type { ObjectStore } from 'shared/loads/objects';
import type { PlanServices } from 'shared/loads/plan-load';
import type { Summary } from 'shared/loads/summary';
import type { ParquetReader } from 'shared/parquet/reader';
import { s3Objects } from '../../functions/clients/s3';
import { runLoad, type WorkflowServices } from '../../local/loader/workflow';
import { recordingLogger } from './influx-writing';
import { TOKEN } from './influxd';
import { fixture } from './parquet';
import { S3Double } from './s3-double';

export const DATA = 'energy-data';
export const WORK = 'work-bucket';

export const never = new AbortController().signal;
setMaxListeners(0, never);

/** The bytes of a fixture. */
export const fixtureBytes = (name: string): Buffer => readFileSync(fixture(name));

/** The loader's configuration, as from an environment with these values. */
export function configOf(url: string, environment: Record<string, string> = {}): LoaderConfig {
  return loadLoaderConfig({ INFLUXDB_URL: url, INFLUXDB_TOKEN: TOKEN, WORK_BUCKET: WORK, ...environment });
}

export interface Harness {
  readonly objects: ObjectStore;
  readonly reader: ParquetReader;
}

export function planServices({ objects, reader }: Harness, options: Partial<PlanServices> = {}): PlanServices {
  const base = {
    objects,
    reader,
    mappings: BUILT_IN_MAPPINGS,
    validateSchema: true,
    workBucket: WORK,
    deadline: never,
  };
  return { ...base, ...options };
}

export function loadServices(
  { objects, reader }: Harness,
  config: LoaderConfig,
  options: Partial<LoadServices> = {},
): LoadServices {
  const token = 'value' in config.token ? config.token.value : '';
  const influxdb = new InfluxClient(config.target, staticToken(token), { gzipLevel: config.gzipLevel });
  const base = {
    config,
    objects,
    reader,
    influxdb,
    mappings: BUILT_IN_MAPPINGS,
    logger: recordingLogger(),
    deadline: never,
  };
  return { ...base, ...options };
}

/** A whole load: the steps in the order of the workflow. */
export function load(
  input: object,
  harness: Harness,
  config: LoaderConfig,
  options: Partial<Omit<WorkflowServices, 'plan' | 'load'>> & {
    plan?: Partial<PlanServices>;
    load?: Partial<LoadServices>;
    loadId?: string;
  } = {},
): Promise<Summary> {
  const { plan, load, loadId = 'load-1', ...rest } = options;
  const { validateSchema } = config;
  return runLoad(loadId, input, {
    plan: planServices(harness, { validateSchema, ...plan }),
    load: loadServices(harness, config, load),
    check: () => Promise.resolve(),
    ...rest,
  });
}

/** A store that ends with the tests of the file that asks for it. */
export function testStore(): { store: S3Double; objects: ObjectStore } {
  const made = {} as { store: S3Double; objects: ObjectStore };
  beforeAll(async () => {
    made.store = await S3Double.start();
    made.objects = s3Objects(made.store.options);
  });
  beforeEach(() => {
    made.store.objects.clear();
    made.store.requests.length = 0;
    made.store.fail = () => undefined;
  });
  afterAll(() => made.store.stop());
  return made;
}

/** The rows that DuckDB answers with, each an object. */
export async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
  }
}

/** The bytes of a Parquet file that DuckDB writes; row groups have 2,048 rows. */
export async function parquetOf(select: string, options = 'ROW_GROUP_SIZE 2048'): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'parquet-'));
  try {
    const path = join(folder, 'file.parquet');
    await duckdb(`COPY (${select}) TO '${path}' (FORMAT parquet, ${options})`);
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
