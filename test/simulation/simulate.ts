/**
 * Runs the simulations with many random schedules of faults: `npm run simulate -- [--schedules N] [--seed S]`. If a schedule fails,
 * prints it in its smallest form with the arguments that repeat it: `--only NAME --path P`.
 */
import '../support/zlib-without-threads';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { bothEnd } from './both';
import { loadEnds } from './influxdb-load';
import { replaysKeepTheNewest } from './timestream-replays';
import { requestEnds } from './timestream-request';
import { resendsEnd } from './timestream-resends';

/** `share` is the part of all schedules. */
const SIMULATIONS: readonly { name: string; share: number; run: (parameters: fc.Parameters<unknown>) => Run }[] = [
  { name: 'timestream-request', share: 0.3, run: (parameters) => fc.check(requestEnds, parameters as never) },
  { name: 'timestream-replays', share: 0.2, run: (parameters) => fc.check(replaysKeepTheNewest, parameters as never) },
  { name: 'timestream-resends', share: 0.1, run: (parameters) => fc.check(resendsEnd, parameters as never) },
  { name: 'both', share: 0.2, run: (parameters) => fc.check(bothEnd, parameters as never) },
  { name: 'influxdb-load', share: 0.2, run: (parameters) => fc.check(loadEnds, parameters as never) },
];
type Run = Promise<Pick<fc.RunDetails<unknown>, 'failed' | 'numRuns' | 'counterexamplePath' | 'errorInstance'>>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      only: { type: 'string' },
      path: { type: 'string' },
    },
  });
  const [schedules, seed] = [Number(values.schedules), Number(values.seed)];
  if (!(Number.isInteger(schedules) && schedules > 0))
    throw new Error('--schedules must be a whole number of at least 1');
  if (!Number.isInteger(seed)) throw new Error('--seed must be an integer');
  let [passed, failed] = [0, 0];
  for (const { name, share, run } of SIMULATIONS) {
    if (values.only !== undefined && values.only !== name) continue;
    const numRuns = Math.ceil(schedules * share);
    const started = performance.now();
    const result = await run({ numRuns, seed, ...(values.path !== undefined && { path: values.path }) });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `${name}: ${result.numRuns} schedules, seed ${seed}, ${seconds} s: ${result.failed ? 'FAILED' : 'passed'}`,
    );
    passed += result.numRuns - Number(result.failed);
    failed += Number(result.failed);
    if (!result.failed) continue;
    console.log(fc.defaultReportMessage(result as fc.RunDetails<unknown>));
    console.log(result.errorInstance);
    console.log(`repeat it: npm run simulate -- --only ${name} --seed ${seed} --path ${result.counterexamplePath}`);
  }
  console.log(`${passed} passed, ${failed} failed, 0 skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

void main();
