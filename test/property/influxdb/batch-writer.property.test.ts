/** For any responses of InfluxDB in any order, every line is counted once, and no request stays in flight. */
import fc from 'fast-check';
import { loadEnds } from '../../simulation/influxdb-load';

test('acknowledged, rejected and failed lines add up; no line is acknowledged twice; no request stays in flight', async () => {
  await fc.assert(loadEnds, { numRuns: 400, interruptAfterTimeLimit: 40_000 });
}, 60_000);
