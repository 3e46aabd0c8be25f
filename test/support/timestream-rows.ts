/**
 * Fills tables of an embedded Timestream with many rows at once: writing them through the API takes minutes per million. Each table gets one
 * record through the API, and its other rows are inserted into the data file while no server has it open.
 */
import { join } from 'node:path';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  TimestreamWriteClient,
  WriteRecordsCommand,
} from '@aws-sdk/client-timestream-write';
import { DuckDBInstance } from '@duckdb/node-api';
import { startTimestream } from '../../local/timestream/server';

export interface RowsOptions {
  readonly dataDir: string;
  readonly database: string;
  readonly tables: number;
  /** Rows of each table. */
  readonly rows: number;
  /** Time between two rows of a table, ns. */
  readonly stepNs: number;
  /** ns */
  readonly start: bigint;
}

/** The tables are `table-0` and so on: one dimension with 50 values, and fields of four types. Every seventh `load` is NULL. */
export async function fillTables({ dataDir, database, tables, rows, stepNs, start }: RowsOptions): Promise<void> {
  const server = await startTimestream({ host: '127.0.0.1', port: 0, dataDir, now: () => Number(start / 1_000_000n) });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new TimestreamWriteClient({ region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 });
  await client.send(new CreateDatabaseCommand({ DatabaseName: database }));
  for (let table = 0; table < tables; table++) {
    const name = { DatabaseName: database, TableName: `table-${table}` };
    const retention = { MemoryStoreRetentionPeriodInHours: 8_766, MagneticStoreRetentionPeriodInDays: 73_000 };
    await client.send(new CreateTableCommand({ ...name, RetentionProperties: retention }));
    const record = {
      Dimensions: [{ Name: 'device', Value: 'd0' }],
      MeasureName: 'metrics',
      MeasureValueType: 'MULTI' as const,
      MeasureValues: [
        { Name: 'load', Value: '0.0', Type: 'DOUBLE' as const },
        { Name: 'count', Value: '0', Type: 'BIGINT' as const },
        { Name: 'ok', Value: 'true', Type: 'BOOLEAN' as const },
        { Name: 'state', Value: 's0', Type: 'VARCHAR' as const },
      ],
      Time: String(start),
      TimeUnit: 'NANOSECONDS' as const,
    };
    await client.send(new WriteRecordsCommand({ ...name, Records: [record] }));
  }
  client.destroy();
  await server.close();
  await insertRows(join(dataDir, 'timestream.duckdb'), rows, stepNs);
}

async function insertRows(file: string, rows: number, stepNs: number): Promise<void> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  const found = await connection.runAndReadAll(
    "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = '_timestream' AND table_name LIKE 'records%' ORDER BY table_name, ordinal_position",
  );
  const columns = new Map<string, string[]>();
  for (const [table, name, type] of found.getRows()) {
    const list = columns.get(String(table)) ?? [];
    columns.set(String(table), [...list, expressionOf(String(name), String(type), stepNs)]);
  }
  for (const [table, expressions] of columns) {
    await connection.run(
      `INSERT INTO _timestream.${table} SELECT ${expressions.join(', ')} FROM _timestream.${table}, range(1, ${rows}) AS numbers(n)`,
    );
  }
  await connection.run('CHECKPOINT');
  connection.closeSync();
  instance.closeSync();
}

function expressionOf(name: string, type: string, stepNs: number): string {
  if (name === '_row') return '_row + n';
  if (name === 'time') return `time + n * ${stepNs}`;
  if (name.startsWith('_') || name === 'measure_name') return name;
  if (type === 'DOUBLE') return 'CASE WHEN n % 7 = 0 THEN NULL ELSE n / 8.0 END';
  if (type === 'BIGINT') return 'n * 1000003';
  if (type === 'BOOLEAN') return 'n % 3 = 0';
  return `regexp_extract(${name}, '^[a-z]') || n % 50`;
}
