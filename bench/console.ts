/**
 * Measures what the console costs the local server. One server process listens with the console and twice without it, over the same
 * embedded Timestream; blocks of writes go to the three in turn, and the CPU time of the process is compared. The difference of the two
 * without it shows the error of the measurement. Then a page and a
 * Prometheus poll the idle server once a second; their cost is compared with that of 100 writes.
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
import { writeRecordsSender } from '../functions/write-line-protocol/timestream-connection';
import { timestreamDestination } from '../functions/write-line-protocol/timestream-destination';
import { sdkConnection, tableAdministration, timestreamClient } from '../functions/write-line-protocol/timestream-sdk';
import { createHandler } from '../functions/write-line-protocol/write-handler';
import { noteWrite } from '../local/connector/request-log';
import { startConnector } from '../local/connector/server';
import { openConsole } from '../local/console/open';
import { startTimestream } from '../local/timestream/server';
import { type Row, report, round } from './report';
import { median, runMain } from './runs';

/** Small requests, for which the cost of the console is the largest share. */
const LINES = 10;
const WAYS = ['without', 'control', 'with'] as const;
type Way = (typeof WAYS)[number];
const REQUESTS = 200;
const WORKERS = 4;
const PAGE = '/console/api/overview';
const SCRAPE = '/metrics';
const POLLS = 20;

/** The server, in its own process. It sends its URLs, and after each message its CPU time, s. */
async function serve(): Promise<void> {
  process.env.AWS_ACCESS_KEY_ID = 'bench';
  process.env.AWS_SECRET_ACCESS_KEY = 'bench';
  const timestream = await startTimestream({ host: '127.0.0.1', port: 0 });
  const config = { ...loadConnectorConfig({ write_deadline_millis: '60000' }), timestreamEndpoint: timestream.url };
  const client = timestreamClient(config);
  const quiet = () => undefined;
  const unused = () => Promise.reject(new Error('not in this benchmark'));
  const common = {
    config,
    logger: { addContext: quiet, appendKeys: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    destinations: [
      timestreamDestination(config, {
        send: writeRecordsSender(sdkConnection(client), config),
        tables: new TableCreator(config.tables, tableAdministration(client), systemClock, 0),
        check: unused,
      }),
    ],
    ...{ invokeSelf: unused, sendDeadLetter: unused, storeRejected: unused },
  };
  const listen = {
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 1e7,
    writeDeadlineMs: 29_000,
    corsAllowedOrigins: ['*'],
    arrivalMs: 29_000,
    log: quiet,
  };
  const folders = { assets: '.build', runs: '.build/runs' };
  const view = openConsole({ config, host: listen.host, verify: undefined, timestream, log: quiet, folders });
  const without = await startConnector({ ...listen, handler: createHandler(common) });
  const control = await startConnector({ ...listen, handler: createHandler(common) });
  const recorded = createHandler({ ...common, metrics: view.metrics, onResult: noteWrite });
  const withConsole = await startConnector({ ...listen, ...view, handler: recorded });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuSeconds: (user + system) / 1e6 });
  });
  process.send?.({ without: without.url, control: control.url, with: withConsole.url });
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

/** The CPU time of the server during `work`, ms. */
async function costOf(child: ChildProcess, work: () => Promise<void>): Promise<number> {
  const before = await cpuSeconds(child);
  await work();
  return ((await cpuSeconds(child)) - before) * 1_000;
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 30);
  const child = fork(process.argv[1] ?? '', ['--serve']);
  const [urls] = (await once(child, 'message')) as [Record<Way, string>];
  let next = 0;
  const block = async (url: string): Promise<void> => {
    const end = next + REQUESTS;
    const work = async (): Promise<void> => {
      while (next < end) {
        const status = await send(`${url}/api/v2/write?precision=s`, 'POST', bodyOf(next++));
        if (status !== 204) throw new Error(`a write returned ${status}`);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
  };
  // Compiles the code and creates the table.
  for (let index = 0; index < 4; index++) for (const way of WAYS) await block(urls[way]);
  const costs: Record<Way, number[]> = { without: [], control: [], with: [] };
  for (let index = 0; index < rounds; index++) {
    // Each way is first, second and last equally often, because the table grows.
    const order = WAYS.map((_, position) => WAYS[(position + index) % WAYS.length] ?? 'with');
    for (const way of order) costs[way].push(await costOf(child, () => block(urls[way])));
  }
  /** CPU time of a second in which the path is requested once, ms. */
  const second = async (path?: string): Promise<number> => {
    const work = async (): Promise<void> => {
      for (let index = 0; index < POLLS; index++) {
        await Promise.all([sleep(1_000), path === undefined ? undefined : send(urls.with + path, 'GET')]);
      }
    };
    return (await costOf(child, work)) / POLLS;
  };
  for (const path of [PAGE, SCRAPE]) await send(urls.with + path, 'GET');
  const idle = await second();
  const polls = { page: (await second(PAGE)) - idle, scrape: (await second(SCRAPE)) - idle };
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;

  const request = median(costs.without) / REQUESTS;
  const beside = (way: Way): number =>
    median(costs[way].map((cost, index) => cost / (costs.without[index] ?? Number.NaN))) - 1;
  const percent = (share: number): string => `${round(share * 100, 1)} %`;
  const rows: Row[] = [
    { cost: 'a write without the console, ms', value: round(request, 2) },
    { cost: 'the same again, beside that', value: percent(beside('control')) },
    { cost: 'a write with the console, beside that', value: percent(beside('with')) },
    { cost: 'a poll of the page, ms', value: round(polls.page, 2) },
    { cost: 'a scrape of the metrics, ms', value: round(polls.scrape, 2) },
    { cost: 'one of each, beside 100 writes', value: percent((polls.page + polls.scrape) / (100 * request)) },
  ];
  await report('console', rows, { rounds, lines: LINES });
}

runMain(process.argv[2] === '--serve' ? serve : main);
