/** The embedded Timestream is killed while calls are committed in groups: acknowledged calls are stored, others completely or not at all. */
import { TimestreamProcess } from '../support/timestream-process';

const DATABASE = 'db';
const TABLES = ['first', 'second'];
const RECORDS = 10;
const WORKERS = 20;

let timestream: TimestreamProcess;
beforeAll(async () => {
  timestream = await TimestreamProcess.start();
  await call('CreateDatabase', { DatabaseName: DATABASE });
  for (const TableName of TABLES) await call('CreateTable', { DatabaseName: DATABASE, TableName });
});
afterAll(() => timestream.remove());

async function call(operation: string, body: object): Promise<number> {
  const headers = { 'X-Amz-Target': `Timestream_20181101.${operation}` };
  const response = await fetch(timestream.url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
}

const start = Date.now();

/** Writes the records of a call; its version is their value. A call writes the same records in each round. */
const write = (number: number, version: number): Promise<number> =>
  call('WriteRecords', {
    DatabaseName: DATABASE,
    TableName: TABLES[number % TABLES.length],
    CommonAttributes: { MeasureName: 'm', MeasureValueType: 'MULTI', Version: version },
    Records: Array.from({ length: RECORDS }, (_, n) => ({
      Dimensions: [{ Name: 'call', Value: String(number) }],
      MeasureValues: [{ Name: 'value', Value: String(version), Type: 'BIGINT' }],
      Time: String(start + n),
    })),
  });

/** For each call the values of its records. */
async function stored(): Promise<Map<number, number[]>> {
  const values = new Map<number, number[]>();
  for (const table of TABLES) {
    const rows = await timestream.select(`SELECT call, value FROM "${DATABASE}"."${table}"`);
    for (const [number, value] of rows) {
      values.set(Number(number), [...(values.get(Number(number)) ?? []), Number(value)]);
    }
  }
  return values;
}

test('after kills in the middle of 20 concurrent calls, every acknowledged call is stored once with its last version', async () => {
  const acknowledged = new Map<number, number>();
  for (const [round, killAfter] of [30, 55, 81, 120].entries()) {
    const version = round + 1;
    let next = 0;
    let done = 0;
    let killed: Promise<void> | undefined;
    const worker = async (): Promise<void> => {
      while (killed === undefined) {
        const number = next++;
        const status = await write(number, version).catch(() => undefined);
        if (status === undefined) return;
        expect(status).toBe(200);
        acknowledged.set(number, version);
        done += 1;
        if (done === killAfter) killed = timestream.kill();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    await killed;
    await timestream.restart();

    const found = await stored();
    for (const [number, last] of acknowledged) {
      const values = found.get(number) ?? [];
      expect(values).toHaveLength(RECORDS);
      // A call without a response may be stored too.
      expect(values[0]).toBeGreaterThanOrEqual(last);
    }
    for (const values of found.values()) expect(values).toEqual(new Array(RECORDS).fill(values[0]));
    // The versions are known after the restart.
    const [[number = 0, last = 0] = []] = acknowledged;
    expect(await write(number, last)).toBe((found.get(number)?.[0] ?? 0) > last ? 419 : 200);
    if (last > 1) expect(await write(number, last - 1)).toBe(419);
  }
});
