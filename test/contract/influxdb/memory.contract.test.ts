/** The memory that writes in flight use in a function. */
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { runProgram } from '../../support/program';
import { ScriptedServer } from '../../support/scripted-server';

/** The minimum memory of the functions that write, MB. It allows 16 MB of lines in flight: 4 full batches. */
const MEMORY_MB = 512;
const FULL_BATCHES = 4;

test('large batches in flight use a limited part of the memory, for any write concurrency', async () => {
  const influxdb = new FakeInfluxDB3(FULL_BATCHES);
  const server = await ScriptedServer.start(influxdb.answer);
  const environment = {
    INFLUXDB_ENGINE: 'v3',
    INFLUXDB_TOKEN: V3_TOKEN,
    WRITE_CONCURRENCY: '64',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(MEMORY_MB),
  };
  const result = await runProgram('test/support/writes-in-flight.ts', { arguments: [server.url], environment });
  await server.stop();
  expect(influxdb.flushes).toEqual([4, 4, 4, 4, 4, 4]);
  expect(result).toMatchObject({ pointsWritten: 384 });
  expect((result as { grownMegabytes: number }).grownMegabytes).toBeLessThan(MEMORY_MB / 4);
});
