/**
 * Starts the connector with `npm start` on free ports, writes a point over HTTP, reads it back with SQL, writes a sample data set
 * with `npm run sample:write`, and stops the connector with SIGTERM. The last line is `N passed, N failed, N skipped`; the exit code
 * is 1 if a check failed.
 */
import './require-node.cjs';

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { asCommand } from './command.mjs';

const TIME_LIMIT_MS = 120_000;

/** The URLs that the started connector prints. */
async function readUrls(output) {
  const urls = [];
  for await (const line of createInterface({ input: output })) {
    console.log(line);
    urls.push(...(line.match(/^InfluxDB v2 write endpoint: (\S+)/)?.slice(1) ?? []));
    urls.push(...(line.match(/embedded Timestream at (http[^,\s]+)/)?.slice(1) ?? []));
    if (urls.length === 2) return urls;
  }
  throw new Error('npm start ended before it was ready');
}

async function writeAndQuery(endpoint, timestream) {
  const written = await fetch(`${endpoint}/api/v2/write?precision=s`, {
    method: 'POST',
    body: `smoke,city=Lisbon temperature=21.5,humid=true,note="a, b" ${Math.floor(Date.now() / 1000)}`,
  });
  if (written.status !== 204) throw new Error(`the write returned ${written.status}: ${await written.text()}`);
  const response = await fetch(timestream, {
    method: 'POST',
    headers: { 'X-Amz-Target': 'Timestream_20181101.Query' },
    body: JSON.stringify({
      QueryString: 'SELECT city, temperature, humid, note FROM "influxdb-line-protocol"."smoke"',
    }),
  });
  const { Rows } = await response.json();
  const rows = JSON.stringify(Rows?.map(({ Data }) => Data.map(({ ScalarValue }) => ScalarValue)));
  if (rows !== '[["Lisbon","21.5","true","a, b"]]') throw new Error(`the query returned ${rows}`);
}

/** Resolves once nothing listens at the URL. */
async function stopped(url) {
  const isUp = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  for (let left = 50; await isUp(); left--) {
    if (left === 0) throw new Error(`something still listens at ${url} after the connector has stopped`);
    await setTimeout(200);
  }
}

async function writeSample(endpoint) {
  const args = ['run', '-s', 'sample:write', '--', '--dataset', 'weather', '--endpoint', endpoint];
  const [code] = await once(spawn('npm', args, { ...asCommand, stdio: 'inherit' }), 'exit');
  if (code !== 0) throw new Error(`sample:write ended with ${code}`);
}

const started = spawn('npm', ['start', '--', '--port', '0', '--timestream-port', '0', '--memory'], {
  ...asCommand,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const timer = globalThis.setTimeout(() => started.kill('SIGKILL'), TIME_LIMIT_MS);
const exited = once(started, 'exit');
const checks = [
  () => readUrls(started.stdout),
  ([endpoint, timestream]) => writeAndQuery(endpoint, timestream),
  ([endpoint]) => writeSample(endpoint),
  async () => {
    started.kill('SIGTERM');
    const [code, signal] = await exited;
    // The signal may also end the shell that npm starts.
    if (code !== 0 && signal !== 'SIGTERM') {
      throw new Error(`the connector stopped with ${signal ?? `exit code ${code}`}`);
    }
    await stopped(urls[0]);
  },
];
let urls = [];
let failed = 0;
for (const check of checks) {
  try {
    urls = (await check(urls)) ?? urls;
  } catch (error) {
    console.error(error.message);
    failed++;
  }
}
clearTimeout(timer);
console.log(`${checks.length - failed} passed, ${failed} failed, 0 skipped`);
process.exitCode = failed === 0 ? 0 : 1;
