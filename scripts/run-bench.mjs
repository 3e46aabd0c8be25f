/** Bundles and runs benchmarks of bench/: `npm run bench [-- NAME [arguments]]`; without a name, all that need no other software. */
import './require-node.cjs';

import { fileURLToPath } from 'node:url';
import { bundleWorker } from './bundle-worker.mjs';
import { runProgram } from './run-program.mjs';

const ALL = {
  encode: 'line protocol to the bodies of WriteRecords calls, in memory',
  call: 'one WriteRecords call: the HTTP client and the signature',
  connector: 'the whole connector: from events to calls over HTTP',
  destinations: 'the write function with Timestream, InfluxDB, and both',
  'cold-start': 'the cold start of the write function, after `npm run build`',
  loader: 'the whole loader: from a Parquet file to writes over HTTP',
  wide: 'files of 300 and of 1,010 columns to line protocol',
  typed: 'columns of each field type to line protocol',
};
const BY_NAME_ALONE = {
  console: 'what the console costs the local server',
  start: 'the local server with the embedded Timestream: lines per second, memory per record',
  'plan-files': 'planning a prefix with many files',
  scale: 'a simulation of loads and migrations of 10^9 and 10^12 rows: the tables of docs/scale.md',
  'influxdb-limit': 'the command `load` beside the maximum of a real InfluxDB (influxd)',
  migrate: 'a migration from the embedded Timestream into a real InfluxDB (influxd)',
  'load-influxdb': 'a load of generated files into a real InfluxDB (influxd), the same as `npm run test:load`',
  soak: 'ten minutes of load and invalid requests, the same as `npm run soak`, after `npm run bundle`',
};

const listed = (benchmarks) =>
  Object.entries(benchmarks)
    .map(([name, what]) => `  ${name.padEnd(14)} ${what}`)
    .join('\n');
const USAGE = `npm run bench              runs these, one after the other
${listed(ALL)}
npm run bench -- NAME ...  runs one of them, or one of these; the first comment in bench/NAME.ts explains its arguments
${listed(BY_NAME_ALONE)}`;

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, ...rest] = process.argv.slice(2);

async function run(benchmarks) {
  await bundleWorker(`${root}.build/parquet-worker.cjs`);
  for (const benchmark of benchmarks) {
    console.log(`\n== bench/${benchmark}.ts`);
    process.exitCode = (await runProgram(`bench/${benchmark}`, rest)) || process.exitCode;
  }
}

if (name === '--help') console.log(USAGE);
else if (name === undefined) await run(Object.keys(ALL));
else if (Object.hasOwn(ALL, name) || Object.hasOwn(BY_NAME_ALONE, name)) await run([name]);
else {
  console.error(`unknown benchmark '${name}'\n\n${USAGE}`);
  process.exitCode = 2;
}
