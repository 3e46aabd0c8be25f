/**
 * Starts the connector as `npm start` does, on free ports and in memory, writes a point over HTTP, reads it back by SQL, and has it
 * stop by SIGTERM. Ends with one line, `N passed, N failed, N skipped`, and with 1 where something failed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const READY_WITHIN_MS = 60_000;

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
  if (written.status !== 204) throw new Error(`the write was answered ${written.status}: ${await written.text()}`);
  const answer = await fetch(timestream, {
    method: 'POST',
    headers: { 'X-Amz-Target': 'Timestream_20181101.Query' },
    body: JSON.stringify({
      QueryString: 'SELECT city, temperature, humid, note FROM "influxdb-line-protocol"."smoke"',
    }),
  });
  const { Rows } = await answer.json();
  const rows = JSON.stringify(Rows?.map(({ Data }) => Data.map(({ ScalarValue }) => ScalarValue)));
  if (rows !== '[["Lisbon","21.5","true","a, b"]]') throw new Error(`the query returned ${rows}`);
}

const started = spawn('npm', ['start', '--', '--port', '0', '--timestream-port', '0', '--memory'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const timer = setTimeout(() => started.kill('SIGKILL'), READY_WITHIN_MS);
const exited = once(started, 'exit');
let problem;
try {
  const urls = await readUrls(started.stdout);
  await writeAndQuery(...urls);
} catch (error) {
  problem = error;
}
started.kill('SIGTERM');
const [code, signal] = await exited;
clearTimeout(timer);
if (problem === undefined && code !== 0) problem = new Error(`it stopped with ${signal ?? `exit code ${code}`}`);
if (problem !== undefined) console.error(problem.message);
console.log(problem === undefined ? '1 passed, 0 failed, 0 skipped' : '0 passed, 1 failed, 0 skipped');
process.exitCode = problem === undefined ? 0 : 1;
