/**
 * Measures the whole connector: events to the handler, calls to a sink over HTTP. Compares it in the same run with a naive
 * implementation (objects, and the SDK's WriteRecordsCommand). Before the measurement it checks that both send the same records.
 *
 *     npm run bench -- connector [requests]
 *
 * Each implementation runs in a separate process (`--way`), so that its peak memory is measured alone. So does the sink.
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TimestreamWriteClient, WriteRecordsCommand } from '@aws-sdk/client-timestream-write';
import { loadConnectorConfig } from 'shared/config';
import { buildTimestream } from '../functions/write-line-protocol/timestream-clients';
import { createHandler } from '../functions/write-line-protocol/write-handler';
import { expandCall, identityOf } from '../test/support/timestream-calls';
import { naiveCalls, VERSION } from './naive';
import { type Row, report, round } from './report';
import { costOf, inTurn, median, runMain } from './runs';
import { WORKLOADS, workload } from './workloads';

/** Lines per request, and the default number of requests. */
const SIZES = [
  ...WORKLOADS.map(({ name }) => ({ name, lines: 5_000, requests: 40 })),
  { name: 'devops', lines: 15_000, requests: 10 },
];
const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench' };
const quiet = () => undefined;
const logger = { addContext: quiet, appendKeys: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

type Send = (event: string) => Promise<void>;

/** Implementations that send the points of an event to the sink. */
const ways: Record<string, (endpoint: string) => Send | Promise<Send>> = {
  async connector(endpoint) {
    const config = loadConnectorConfig({ AWS_ENDPOINT_URL_TIMESTREAM_WRITE: endpoint, write_deadline_millis: '60000' });
    process.env.AWS_ACCESS_KEY_ID = CREDENTIALS.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = CREDENTIALS.secretAccessKey;
    const unused = () => Promise.reject(new Error('not in this benchmark'));
    const handler = createHandler({
      config,
      logger,
      destinations: [await buildTimestream(config)],
      invokeSelf: unused,
      sendDeadLetter: unused,
      storeRejected: unused,
    });
    return async (event) => {
      const response = await handler(JSON.parse(event));
      if (response?.statusCode !== 204)
        throw new Error(`the handler returned ${response?.statusCode}: ${response?.body}`);
    };
  },

  naive(endpoint) {
    const client = new TimestreamWriteClient({ region: 'us-east-1', endpoint, credentials: CREDENTIALS });
    return async (event) => {
      const { body } = JSON.parse(event) as { body: string };
      await Promise.all(naiveCalls(Buffer.from(body)).map((call) => client.send(new WriteRecordsCommand(call))));
    };
  },
};

/** An event as JSON text, as the Lambda runtime receives it. */
const eventOf = (body: string): string =>
  JSON.stringify({
    body,
    queryStringParameters: { precision: 'ns' },
    requestContext: { requestTimeEpoch: VERSION },
  });

/** One implementation, in a separate process: warms up, sends the requests and prints the cost. */
async function runWay(way: string, name: string, lines: number, requests: number, endpoint: string): Promise<void> {
  const send = await ways[way]?.(endpoint);
  if (send === undefined) throw new Error(`unknown implementation '${way}'`);
  const events = Array.from({ length: requests }, (_, index) => eventOf(workload(name).request(index, lines)));
  for (const event of events) await send(event);
  const cost = await costOf(async () => {
    for (const event of events) await send(event);
  });
  console.log(JSON.stringify(cost));
}

/** The sink, in a separate process: responds to every call, and returns the bodies at /bodies. */
function runSink(): void {
  let bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/bodies') {
        response.end(JSON.stringify(bodies.map((body) => body.toString())));
        bodies = [];
        return;
      }
      if (bodies.length < 400) bodies.push(Buffer.concat(chunks));
      response.end('{"RecordsIngested":{"Total":1}}');
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

interface Sent {
  readonly records: readonly string[];
  readonly calls: number;
  readonly bytesPerRecord: number;
  readonly unitsPerRecord: number;
}

/** The calls that the sink received since the last time. */
async function takeBodies(endpoint: string): Promise<Sent> {
  // This process blocks while it waits for the implementations, so it would not notice that a kept-alive connection was closed.
  const response = await fetch(`${endpoint}/bodies`, { headers: { connection: 'close' } });
  const bodies = (await response.json()) as string[];
  const calls = bodies.map((body) => expandCall(Buffer.from(body)));
  const records = calls.flatMap((call) =>
    call.records.map((record) => `${identityOf(record)} ${JSON.stringify(record.measures)}`),
  );
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  const units = bodies.reduce((sum, body) => sum + meteredUnits(body), 0);
  return {
    records: records.sort(),
    calls: calls.length,
    bytesPerRecord: bytes / records.length,
    unitsPerRecord: units / records.length,
  };
}

interface Metered {
  readonly Dimensions?: readonly { Name: string; Value: string }[];
  readonly MeasureName?: string;
  readonly MeasureValues?: readonly { Name: string; Value: string; Type: string }[];
  readonly Time?: string;
}

/** Billed units of 1 KiB of a call; common attributes count once. Source: "Metering and cost" of LiveAnalytics. */
function meteredUnits(body: string): number {
  const { CommonAttributes = {}, Records } = JSON.parse(body) as { CommonAttributes?: Metered; Records: Metered[] };
  const text = (value = ''): number => Buffer.byteLength(value);
  const bytes = [CommonAttributes, ...Records].reduce(
    (sum, { Dimensions = [], MeasureName, MeasureValues = [], Time }) => {
      const dimensions = Dimensions.reduce((total, { Name, Value }) => total + text(Name) + text(Value), 0);
      const measures = MeasureValues.reduce(
        (total, { Name, Value, Type }) =>
          total + text(Name) + (Type === 'VARCHAR' ? text(Value) : Type === 'BOOLEAN' ? 1 : 8),
        0,
      );
      return sum + (Time === undefined ? 0 : 8) + dimensions + text(MeasureName) + measures;
    },
    0,
  );
  return Math.ceil(bytes / 1024);
}

/** @throws Error if the two implementations send different records */
async function compare(name: string, lines: number, endpoint: string): Promise<Record<string, Sent>> {
  const sent: Record<string, Sent> = {};
  const event = eventOf(workload(name).request(0, lines));
  await takeBodies(endpoint);
  for (const way of Object.keys(ways)) {
    await (await ways[way]?.(endpoint))?.(event);
    sent[way] = await takeBodies(endpoint);
  }
  if (JSON.stringify(sent.connector?.records) !== JSON.stringify(sent.naive?.records)) {
    throw new Error(`${name}: the connector and the naive implementation send different records`);
  }
  return sent;
}

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (first === '--sink') return runSink();
  if (first === '--way') {
    const [way = '', name = '', lines, requests, endpoint = ''] = rest;
    return runWay(way, name, Number(lines), Number(requests), endpoint);
  }
  const rounds = first === undefined ? 5 : 1;
  const sink = fork(process.argv[1] ?? '', ['--sink'], { stdio: 'ignore' });
  const port = await new Promise<number>((resolve) => sink.once('message', (message) => resolve(Number(message))));
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    const rows: Row[] = [];
    for (const { name, lines, requests: usual } of SIZES) {
      const requests = Number(first ?? usual);
      const sent = await compare(name, lines, endpoint);
      const argv = Object.keys(ways).map((way) => [way, ['--way', way, name, lines, requests, endpoint]] as const);
      const outcomes = inTurn(Object.fromEntries(argv), rounds);
      const naive = outcomes.naive ?? [];
      for (const [way, costs] of Object.entries(outcomes)) {
        rows.push({
          workload: `${name}, ${lines} lines`,
          way,
          'points/s': Math.round((requests * lines) / median(costs.map(({ seconds }) => seconds))),
          'CPU-s per million': round((median(costs.map(({ cpuSeconds }) => cpuSeconds)) * 1e6) / (requests * lines)),
          ratio: round(median(costs.map(({ cpuSeconds }, index) => cpuSeconds / (naive[index]?.cpuSeconds ?? 0)))),
          'peak MB': Math.round(Math.max(...costs.map(({ peakMegabytes }) => peakMegabytes))),
          calls: sent[way]?.calls,
          'bytes/record': Math.round(sent[way]?.bytesPerRecord ?? 0),
          'KiB units/1000 records': Math.round((sent[way]?.unitsPerRecord ?? 0) * 1000),
        });
      }
    }
    await report(
      'connector',
      rows,
      { rounds },
      {
        title: 'CPU time to store points in Timestream',
        value: 'CPU-s per million',
        meaning: 'CPU seconds per million points',
        way: 'way',
        group: 'workload',
      },
    );
  } finally {
    sink.kill();
  }
}

runMain(main);
