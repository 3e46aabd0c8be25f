/** The same faults in an independent Timestream fake. */
import { type Connector, connectorBefore, numberedLines } from '../contract/connector/harness';
import { describeWithSink, Sink, type SinkFault } from '../support/sink';
import { deliver, expectNothingLost, sendTo } from './telegraf';

const BUILDING_MS = 180_000;

describeWithSink('the sink of the benchmarks, with validation,', () => {
  let sink: Sink;
  let connector: Connector;
  let tables = 0;
  let table = '';
  beforeAll(async () => {
    sink = await Sink.start();
  }, BUILDING_MS);
  beforeEach(async () => {
    table = `table${tables++}`;
    connector = await connectorBefore(sink.url, { environment: { write_deadline_millis: '1000' } });
    // Creates the table before the fault, so that the fault affects only the writes of the test.
    expect((await connector.write(`${table},host=first n=0i 1`)).status).toBe(204);
  });
  afterEach(async () => {
    await sink.clearFaults();
    await connector.close();
  });
  afterAll(() => sink?.stop());

  /** The lines with a record in the sink. */
  function stored(lines: readonly string[]): string[] {
    const numbers = new Set(
      sink
        .records(table)
        .filter(({ dimensions }) => !dimensions.includes('host=first'))
        .map(({ measures }) => Number(measures.n?.replace('BIGINT ', ''))),
    );
    return [...numbers].map((n) => lines[n] ?? `${n}`);
  }

  test.each<[string, SinkFault]>([
    ['throttles every third call', { type: 'ThrottlingException', count: -1, every: 3 }],
    ['returns 500 for every third call', { type: 'InternalServerException', count: -1, every: 3 }],
    ['closes the connection of every third call', { action: 'close', count: -1, every: 3 }],
    ['hangs in every seventh call', { action: 'hang', count: -1, every: 7 }],
    ['denies six calls', { type: 'AccessDeniedException', count: 6 }],
  ])('loses no acknowledged point if it %s', async (_, fault) => {
    await sink.fault(fault);
    const lines = numberedLines(table, 1_200);
    const delivery = await deliver(lines, sendTo(connector), { batchSize: 300 });
    expectNothingLost(delivery, stored(lines));
  });

  test('stores all other records if it refuses calls with certain records', async () => {
    const lines = numberedLines(table, 1_000);
    const bad = [17, 18, 444, 999].map((n) => lines[n] ?? '');
    for (const n of [17, 18, 444, 999]) {
      await sink.fault({
        type: 'ValidationException',
        message: 'cursed',
        contains: `"Value":"${n}","Type":"BIGINT"`,
        count: -1,
      });
    }
    const delivery = await deliver(lines, sendTo(connector), { batchSize: 500 });
    expect(delivery.statuses).toEqual([422, 422]);
    expectNothingLost(delivery, stored(lines), { bad });
  });
});
