/** Clients that write to two destinations with any faults of both. `npm run simulate` runs many more of them. */
import '../support/zlib-without-threads';
import fc from 'fast-check';
import { bothEnd } from '../simulation/both';
import { restoreZlib } from '../support/zlib-without-threads';

afterAll(restoreZlib);

test('loses no acknowledged point in Timestream or InfluxDB, and every response is the worst outcome of both', async () => {
  await fc.assert(bothEnd, { numRuns: 100, interruptAfterTimeLimit: 40_000 });
}, 60_000);
