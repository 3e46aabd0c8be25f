/**
 * Measures the write function with each destination: Timestream, InfluxDB with plain and with compressed writes, and both. The baseline
 * is Timestream. Before the measurement it checks that InfluxDB gets the bytes of the requests, and that `both` sends what each sends.
 *
 *     npm run bench -- destinations [rounds] [requests]
 *
 * Each destination runs in a separate process (`--way`). So does the sink.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { loadConnectorConfig } from 'shared/config';
import { influxClient } from '../functions/clients/influxdb';
import type { Destination } from '../functions/write-line-protocol/destination';
import { influxdbDestination } from '../functions/write-line-protocol/influxdb-destination';
import { buildTimestream } from '../functions/write-line-protocol/timestream-clients';
import { createHandler } from '../functions/write-line-protocol/write-handler';
import { expandCall, identityOf } from '../test/support/timestream-calls';
import { VERSION } from './naive';
import { type Row, report, round } from './report';
import { costOf, inTurn, median, runMain } from './runs';
import { WORKLOADS, workload } from './workloads';

const [LINES, REQUESTS, ROUNDS] = [5_000, 40, 5];
const quiet = () => undefined;
const logger = { addContext: quiet, appendKeys: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

interface Way {
  readonly destination: 'timestream' | 'influxdb' | 'both';
  readonly gzipLevel: number;
}

const WAYS: Readonly<Record<string, Way>> = {
  timestream: { destination: 'timestream', gzipLevel: 0 },
  influxdb: { destination: 'influxdb', gzipLevel: 0 },
  'influxdb, gzip 1': { destination: 'influxdb', gzipLevel: 1 },
  both: { destination: 'both', gzipLevel: 0 },
  'both, gzip 1': { destination: 'both', gzipLevel: 1 },
};

type Send = (event: string) => Promise<void>;

/** The handler with the destinations, which are the sink. */
async function senderFor({ destination, gzipLevel }: Way, endpoint: string): Promise<Send> {
  process.env.AWS_ACCESS_KEY_ID = 'bench';
  process.env.AWS_SECRET_ACCESS_KEY = 'bench';
  const config = loadConnectorConfig({
    destination,
    AWS_ENDPOINT_URL_TIMESTREAM_WRITE: endpoint,
    INFLUXDB_URL: endpoint,
    INFLUXDB_TOKEN: 'bench',
    write_deadline_millis: '60000',
    rest_api_gateway_timeout_in_millis: '90000',
  });
  const { bounds, influxdb } = config;
  const destinations: Destination[] = destination === 'influxdb' ? [] : [await buildTimestream(config)];
  // Built here, because the function does not compress for an InfluxDB on the same machine.
  if (influxdb !== undefined) {
    destinations.push(influxdbDestination(influxdb, bounds, influxClient({ ...influxdb, gzipLevel }), logger));
  }
  const unused = () => Promise.reject(new Error('not in this benchmark'));
  const services = { config, logger, destinations, invokeSelf: unused, sendDeadLetter: unused, storeRejected: unused };
  const handler = createHandler(services);
  return async (event) => {
    const { statusCode, body } = (await handler(JSON.parse(event))) ?? {};
    if (statusCode !== 204) throw new Error(`the handler returned ${statusCode}: ${body}`);
  };
}

/** An event as JSON text, as the Lambda runtime receives it. */
const eventOf = (body: string): string =>
  JSON.stringify({ body, queryStringParameters: { precision: 'ns' }, requestContext: { requestTimeEpoch: VERSION } });

/** One way, in a separate process: warms up, sends the requests and prints the cost. */
async function runWay(way: string, name: string, requests: number, endpoint: string): Promise<void> {
  const send = await senderFor(wayOf(way), endpoint);
  const events = Array.from({ length: requests }, (_, index) => eventOf(workload(name).request(index, LINES)));
  for (const event of events) await send(event);
  const cost = await costOf(async () => {
    for (const event of events) await send(event);
  });
  console.log(JSON.stringify(cost));
}

function wayOf(name: string): Way {
  const way = WAYS[name];
  if (way === undefined) throw new Error(`unknown way '${name}'`);
  return way;
}

/** The sink, in a separate process: accepts every call, and returns the calls at /calls while they are recorded. */
function runSink(): void {
  let recorded: { path: string; body: string }[] | undefined;
  const server = createServer((request, response) => {
    const { url = '' } = request;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (url === '/record') recorded = [];
      if (url === '/record' || url === '/calls') {
        response.end(JSON.stringify(recorded));
        if (url === '/calls') recorded = undefined;
        return;
      }
      recorded?.push({ path: url, body: Buffer.concat(chunks).toString('base64') });
      if (url.startsWith('/api/v2/write')) response.writeHead(204).end();
      else response.end('{"RecordsIngested":{"Total":1}}');
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

/** What a way sends: the records, in order, and the lines. */
interface Sent {
  readonly records: string;
  readonly lines: string;
}

async function sentBy(way: Way, event: string, endpoint: string): Promise<Sent> {
  // This process blocks while it waits for the ways, so it would not notice that a kept-alive connection was closed.
  const get = async (path: string): Promise<unknown> =>
    (await fetch(endpoint + path, { headers: { connection: 'close' } })).json();
  await get('/record');
  await (await senderFor(way, endpoint))(event);
  const calls = (await get('/calls')) as { path: string; body: string }[];
  const bodies = (areLines: boolean): Buffer[] =>
    calls
      .filter(({ path }) => path.startsWith('/api/v2/write') === areLines)
      .map(({ body }) => Buffer.from(body, 'base64'));
  const lines = bodies(true).map((body) => (body[0] === 0x1f ? gunzipSync(body) : body));
  const records = bodies(false).flatMap((body) =>
    expandCall(body).records.map((record) => `${identityOf(record)} ${JSON.stringify(record.measures)}`),
  );
  return { records: records.sort().join('\n'), lines: Buffer.concat(lines).toString() };
}

/** @throws Error if a destination does not get every point of a request */
async function check(name: string, endpoint: string): Promise<void> {
  const body = workload(name).request(0, LINES);
  const { records } = await sentBy(wayOf('timestream'), eventOf(body), endpoint);
  if (records === '') throw new Error(`${name}: nothing was sent to Timestream`);
  for (const [way, each] of Object.entries(WAYS)) {
    const expected: Sent = {
      records: each.destination === 'influxdb' ? '' : records,
      lines: each.destination === 'timestream' ? '' : body,
    };
    const sent = await sentBy(each, eventOf(body), endpoint);
    if (sent.records !== expected.records) throw new Error(`${name}, ${way}: other records than with Timestream alone`);
    if (sent.lines !== expected.lines) throw new Error(`${name}, ${way}: other lines than those of the request`);
  }
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--sink') return runSink();
  if (first === '--way') {
    const [way = '', name = '', requests, endpoint = ''] = rest;
    return runWay(way, name, Number(requests), endpoint);
  }
  const [rounds, requests] = [Number(first ?? ROUNDS), Number(rest[0] ?? REQUESTS)];
  const sink = fork(process.argv[1] ?? '', ['--sink'], { stdio: 'ignore' });
  try {
    const [port] = (await once(sink, 'message')) as [number];
    const endpoint = `http://127.0.0.1:${port}`;
    const rows: Row[] = [];
    for (const { name } of WORKLOADS) {
      await check(name, endpoint);
      const argv = Object.keys(WAYS).map((way) => [way, ['--way', way, name, requests, endpoint]] as const);
      const outcomes = inTurn(Object.fromEntries(argv), rounds);
      const baseline = outcomes.timestream ?? [];
      for (const [way, costs] of Object.entries(outcomes)) {
        rows.push({
          workload: `${name}, ${LINES} lines`,
          way,
          'CPU-s per million': round((median(costs.map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / (requests * LINES)),
          ratio: round(median(costs.map(({ cpuSeconds }, index) => cpuSeconds / (baseline[index]?.cpuSeconds ?? 0)))),
          'peak MB': Math.round(Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes))),
        });
      }
    }
    await report(
      'destinations',
      rows,
      { rounds },
      {
        title: 'CPU time to store points, by destination',
        value: 'ratio',
        meaning: 'CPU time beside that of Timestream',
        way: 'way',
        group: 'workload',
      },
    );
  } finally {
    sink.kill();
  }
}

runMain(main);
