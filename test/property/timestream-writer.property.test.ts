/** Requests through the writer, whatever the service answers and in whatever order; `npm run simulate` does it many more times. */
import fc from 'fast-check';
import { replaysKeepTheNewest } from '../simulation/timestream-replays';
import { requestEnds, run, scenario } from '../simulation/timestream-request';
import { resendsEnd } from '../simulation/timestream-resends';
import { expectedRecords, INVALID_VALUE } from '../simulation/timestream-service';

test('every record ends once; what is acknowledged is stored; what is rejected is answered for; nothing runs on', async () => {
  await fc.assert(requestEnds, { numRuns: 150, interruptAfterTimeLimit: 40_000 });
}, 60_000);

test('requests that are repeated lose nothing, and overwrite nothing newer', async () => {
  await fc.assert(replaysKeepTheNewest, { numRuns: 150, interruptAfterTimeLimit: 40_000 });
}, 60_000);

test('a request full of invalid records is settled by a few resends, and loses no good record', async () => {
  await fc.assert(resendsEnd, { numRuns: 60, interruptAfterTimeLimit: 40_000 });
}, 60_000);

test('a request that meets no fault makes ceil(n/100) calls a table', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async ({ points }) => {
      const good = points.map((point) => ({ ...point, value: point.value % INVALID_VALUE }));
      const quiet = {
        schedule: [],
        afterwards: 'carry out' as const,
        creations: [],
        earlier: [],
        inactiveCalls: 0,
        maxNewTables: 100,
        deadlineMs: 60_000,
      };
      const given = { points: good, ...quiet, tables: ['t0', 't1', 't2', 't3'], databaseExists: true, jitter: 0 };
      const { service, outcome } = await run(given);
      const perTable = new Map<string, number>();
      for (const { record } of expectedRecords(good).values()) {
        perTable.set(record.table, (perTable.get(record.table) ?? 0) + 1);
      }
      const calls = [...perTable.values()].reduce((sum, records) => sum + Math.ceil(records / 100), 0);
      expect(outcome.calls).toBe(calls);
      expect([...service.model.stored.keys()].sort()).toEqual([...expectedRecords(good).keys()].sort());
    }),
    { numRuns: 40 },
  );
});
