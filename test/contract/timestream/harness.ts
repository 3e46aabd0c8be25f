/** Starts an embedded Timestream in memory for a test file, and makes SDK clients for it. */
import { QueryCommand, type QueryCommandInput, TimestreamQueryClient } from '@aws-sdk/client-timestream-query';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  type _Record as Record_,
  RejectedRecordsException,
  TimestreamWriteClient,
  WriteRecordsCommand,
} from '@aws-sdk/client-timestream-write';
import { type RunningTimestream, startTimestream, type TimestreamOptions } from '../../../local/timestream/server';

/** 2024-03-01T12:00:00Z, the clock of the servers in these tests. */
export const NOW = Date.UTC(2024, 2, 1, 12);
export const DATABASE = 'influxdb-line-protocol';

const CLIENT = {
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
};

export interface Harness {
  readonly server: RunningTimestream;
  readonly write: TimestreamWriteClient;
  readonly query: TimestreamQueryClient;
  close(): Promise<void>;
}

export async function startHarness(options: Partial<TimestreamOptions> = {}): Promise<Harness> {
  const server = await startTimestream({ host: '127.0.0.1', port: 0, now: () => NOW, ...options });
  const write = new TimestreamWriteClient({ ...CLIENT, endpoint: server.url });
  const query = new TimestreamQueryClient({ ...CLIENT, endpoint: server.url });
  return {
    server,
    write,
    query,
    close: async () => {
      write.destroy();
      query.destroy();
      await server.close();
    },
  };
}

let tables = 0;

/** Creates a table with a unique name in the database of the tests. */
export async function makeTable(
  { write }: Harness,
  input: Omit<CreateTableCommandInput, 'DatabaseName' | 'TableName'> & { TableName?: string } = {},
): Promise<string> {
  await write.send(new CreateDatabaseCommand({ DatabaseName: DATABASE })).catch((error: Error) => {
    if (error.name !== 'ConflictException') throw error;
  });
  tables += 1;
  const TableName = input.TableName ?? `table-${tables}`;
  await write.send(new CreateTableCommand({ ...input, DatabaseName: DATABASE, TableName }));
  return TableName;
}

/** A valid multi-measure record; `changes` replace members. */
export const record = (changes: Partial<Record_> = {}): Record_ => ({
  Dimensions: [{ Name: 'host', Value: 'server01' }],
  MeasureName: 'influxdb-measure',
  MeasureValueType: 'MULTI',
  MeasureValues: [{ Name: 'value', Value: '0.64', Type: 'DOUBLE' }],
  Time: String(NOW),
  ...changes,
});

export const writeRecords = ({ write }: Harness, TableName: string, Records: Record_[], CommonAttributes?: Record_) =>
  write.send(new WriteRecordsCommand({ DatabaseName: DATABASE, TableName, Records, CommonAttributes }));

/** The rejections of a call that must be rejected. */
export async function rejections(call: Promise<unknown>) {
  const error = await call.then(
    () => new Error('nothing was rejected'),
    (reason: Error) => reason,
  );
  if (!(error instanceof RejectedRecordsException)) throw error;
  expect(error.$metadata.httpStatusCode).toBe(419);
  return error.RejectedRecords ?? [];
}

/** The rows of a query; each is an array of strings or null. */
export async function select({ query }: Harness, QueryString: string, input: Partial<QueryCommandInput> = {}) {
  const { Rows } = await query.send(new QueryCommand({ QueryString, ...input }));
  return (Rows ?? []).map(({ Data }) => (Data ?? []).map(({ ScalarValue }) => ScalarValue ?? null));
}

export const from = (table: string) => `"${DATABASE}"."${table}"`;

/** Sends a request without the SDK. */
export async function post({ server }: Harness, operation: string, body: string) {
  const headers = { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': `Timestream_20181101.${operation}` };
  const response = await fetch(server.url, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

/** The message of the ValidationException that a call must cause. */
export async function validationMessage(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('the call was not refused'),
    (reason: Error) => reason,
  );
  if (error.name !== 'ValidationException') throw error;
  return error.message;
}
