/** With any responses of InfluxDB in any order, every line is accounted for once, and no work continues after the load. */
import fc from 'fast-check';
import { loadEnds } from '../../simulation/influxdb-load';

test('acknowledges, rejects or fails each line exactly once, and no work continues after the load', async () => {
  await fc.assert(loadEnds, { numRuns: 400, interruptAfterTimeLimit: 40_000 });
}, 60_000);
