/** Requests through the writer with any responses of the service in any order. `npm run simulate` runs many more of them. */
import fc from 'fast-check';
import { replaysKeepTheNewest } from '../simulation/timestream-replays';
import { requestEnds, run, scenario } from '../simulation/timestream-request';
import { resendsEnd } from '../simulation/timestream-resends';
import { expectedRecords, INVALID_VALUE } from '../simulation/timestream-service';

test('settles every record once: acknowledged records are stored, rejected ones reported, and no work continues', async () => {
  await fc.assert(requestEnds, { numRuns: 150, interruptAfterTimeLimit: 40_000 });
}, 60_000);

test('loses no point and overwrites no newer value when requests are repeated', async () => {
  await fc.assert(replaysKeepTheNewest, { numRuns: 150, interruptAfterTimeLimit: 40_000 });
}, 60_000);

test('settles a request full of invalid records with a few resends and loses no good record', async () => {
  await fc.assert(resendsEnd, { numRuns: 60, interruptAfterTimeLimit: 40_000 });
}, 60_000);

test('makes ceil(n/100) calls per table without faults', async () => {
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
