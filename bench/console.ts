/**
 * Measures what the console costs the local server: its CPU time for the same writes without the console, with it, and with a page that
 * polls it once a second, as does a Prometheus. Checks that all points are stored.
 *
 *     npm run bench -- console [rounds]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConnectorConfig } from 'shared/config';
import { systemClock } from 'shared/resilience/clock';
import { TableCreator } from 'shared/timestream/tables';
import {
  tableAdministration,
  timestreamClient,
  writeRecordsSender,
} from '../functions/write-line-protocol/timestream-clients';
import { timestreamDestination } from '../functions/write-line-protocol/timestream-destination';
import { createHandler } from '../functions/write-line-protocol/write-handler';
import { noteWrite } from '../local/connector/request-log';
import { startConnector } from '../local/connector/server';
import { openConsole } from '../local/console/open';
import { startTimestream } from '../local/timestream/server';
import { type Row, report, round } from './report';
import { median, runMain } from './runs';

const WAYS = ['without', 'with', 'polled'] as const;
type Way = (typeof WAYS)[number];

/** Small requests, for which the cost of the console is the largest share. */
const LINES = 10;
const LOADS = [
  { name: '100 requests/s', requests: 1_000, perSecond: 100 },
  { name: 'full speed', requests: 3_000, perSecond: undefined },
] as const;
const WORKERS = 4;
const POLLED = ['/console/api/overview', '/metrics'];

/** The server, in its own process. It sends its URL, and after each message its CPU time, s. */
async function serve(way: Way): Promise<void> {
  process.env.AWS_ACCESS_KEY_ID = 'bench';
  process.env.AWS_SECRET_ACCESS_KEY = 'bench';
  const timestream = await startTimestream({ host: '127.0.0.1', port: 0 });
  const config = { ...loadConnectorConfig({ write_deadline_millis: '60000' }), timestreamEndpoint: timestream.url };
  const client = timestreamClient(config);
  const quiet = () => undefined;
  const unused = () => Promise.reject(new Error('not in this benchmark'));
  const folders = { assets: '.build', runs: '.build/runs' };
  const view =
    way === 'without'
      ? undefined
      : openConsole({
          config,
          host: '127.0.0.1',
          verify: undefined,
          timestream,
          log: quiet,
          folders,
        });
  const handler = createHandler({
    config,
    logger: { addContext: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    destinations: [
      timestreamDestination(config, {
        send: writeRecordsSender(client, config),
        tables: new TableCreator(config.tables, tableAdministration(client), systemClock, 0),
        check: unused,
      }),
    ],
    ...(view && { metrics: view.metrics, onResult: noteWrite }),
    invokeSelf: unused,
    sendDeadLetter: unused,
    storeRejected: unused,
  });
  const connector = await startConnector({
    ...{
      handler,
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 1e7,
      corsAllowedOrigins: ['*'],
      arrivalMs: 29_000,
      log: quiet,
    },
    ...view,
  });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuSeconds: (user + system) / 1e6 });
  });
  process.send?.({ url: connector.url });
}

const agent = new Agent({ keepAlive: true });

function send(url: string, method: string, body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { 'X-Console': '1' } }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end(body);
  });
}

const start = Math.floor(Date.now() / 1000) - 86_400;
const bodyOf = (index: number): string =>
  Array.from(
    { length: LINES },
    (_, line) => `cpu,host=host${line} usage=${index % 100},idle=${line} ${start + index}`,
  ).join('\n');

async function cpuSeconds(child: ChildProcess): Promise<number> {
  const answered = once(child, 'message') as Promise<[{ cpuSeconds: number }]>;
  child.send('cost');
  const [{ cpuSeconds: seconds }] = await answered;
  return seconds;
}

/** Sends the requests, and returns the CPU time of the server, s. */
async function measure(way: Way, requests: number, perSecond: number | undefined): Promise<number> {
  const child = fork(process.argv[1] ?? '', ['--serve', way]);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  let next = 0;
  const write = async (index: number): Promise<void> => {
    const status = await send(`${url}/api/v2/write?precision=s`, 'POST', bodyOf(index));
    if (status !== 204) throw new Error(`a write returned ${status}`);
  };
  // Compiles the code, creates the table.
  for (let index = 0; index < 500; index++) await write(requests + index);
  const polling =
    way === 'polled' ? setInterval(() => POLLED.forEach((path) => void send(url + path, 'GET')), 1_000) : undefined;
  const before = await cpuSeconds(child);
  const began = performance.now();
  const work = async (): Promise<void> => {
    for (let index = next++; index < requests; index = next++) {
      if (perSecond !== undefined) await sleep(Math.max(0, began + (index * 1_000) / perSecond - performance.now()));
      await write(index);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  const cost = (await cpuSeconds(child)) - before;
  clearInterval(polling);
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
  return cost;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  const rows: Row[] = [];
  for (const { name, requests, perSecond } of LOADS) {
    const costs: Record<Way, number[]> = { without: [], with: [], polled: [] };
    for (let index = 0; index < rounds; index++) {
      for (const way of WAYS) costs[way].push(await measure(way, requests, perSecond));
    }
    const base = median(costs.without);
    for (const way of WAYS) {
      const ms = (median(costs[way]) * 1_000) / requests;
      const more = `${round((median(costs[way]) / base - 1) * 100, 1)} %`;
      rows.push({ load: name, console: way, 'CPU ms a request': round(ms, 3), 'more than without': more });
    }
  }
  report('console', rows, { rounds, lines: LINES });
}

const [, , flag, way] = process.argv;
runMain(flag === '--serve' ? () => serve(way as Way) : main);
