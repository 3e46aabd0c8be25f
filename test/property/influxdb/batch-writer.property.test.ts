/** Whatever InfluxDB answers and in whatever order: every line is accounted for once, and nothing runs on. */
import fc from 'fast-check';
import { loadEnds } from '../../simulation/influxdb-load';

test('acknowledged, rejected and failed lines are all lines; nothing is acknowledged twice; nothing runs on', async () => {
  await fc.assert(loadEnds, { numRuns: 400, interruptAfterTimeLimit: 40_000 });
}, 60_000);
