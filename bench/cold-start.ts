/**
 * Measures the cold start of the write function built by `npm run build` with each destination, from the start of the process to the first
 * response, and compares it with a process that does nothing. The response must be 204, and the sink must receive the point.
 *
 *     npm run bench -- cold-start [rounds]
 */
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { report, round } from './report';
import { median, runMain } from './runs';

const BUILT = '.aws-sam/build';
const ROUNDS = 15;
const DESTINATIONS = ['timestream', 'influxdb', 'both'] as const;
/** NODE24 is the path of a Node.js of Lambda's release. */
const NODE = process.env.NODE24 ?? process.execPath;

interface Start {
  /** Time from the start of the process to the response, ms. */
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly peakMegabytes: number;
}

/** The program of the started process: calls the handler, if there is one, and prints its cost. */
const PROGRAM = `
  (async () => {
    const [file] = process.argv.slice(1);
    if (file !== undefined) {
      const { handler } = require(file);
      const answer = await handler({ body: 'm,t=a v=1 1', requestContext: { requestTimeEpoch: 1760000000000 } });
      if (answer.statusCode !== 204) throw new Error(JSON.stringify(answer));
    }
    const { user, system } = process.cpuUsage();
    console.error(JSON.stringify({
      milliseconds: performance.now(),
      cpuMilliseconds: (user + system) / 1000,
      peakMegabytes: process.resourceUsage().maxRSS / 1024,
    }));
    process.exit();
  })();
`;

/** Starts a process with the function in `folder`, or without a destination a process that does nothing. */
function start(endpoint: string, folder: string, destination?: (typeof DESTINATIONS)[number]): Start {
  const handler = destination === undefined ? [] : [join(folder, 'task/handler.js')];
  const { stderr, status } = spawnSync(NODE, ['-e', PROGRAM, ...handler], {
    encoding: 'utf8',
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_ENDPOINT_URL_TIMESTREAM_WRITE: endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      ...(destination !== undefined && { destination }),
      // As deployed: the token is in a secret.
      ...(destination !== 'timestream' && { INFLUXDB_URL: endpoint, INFLUXDB_TOKEN_SECRET_NAME: 'influxdb' }),
      // As in the stack.
      metrics_namespace: 'ONS/InfluxDB',
    },
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as Start;
}

/** The sink, in a separate process: Timestream, InfluxDB and Secrets Manager. It returns the number of the writes at /writes. */
function runSink(): void {
  const writes = { timestream: 0, influxdb: 0 };
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.url === '/writes') response.end(JSON.stringify(writes));
      else if (request.url?.startsWith('/api/v2/write')) {
        writes.influxdb++;
        response.writeHead(204).end();
      } else if (String(request.headers['x-amz-target']).endsWith('GetSecretValue')) {
        response.end('{"SecretString":"token"}');
      } else {
        writes.timestream++;
        response.end('{"RecordsIngested":{"Total":1}}');
      }
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function main(): Promise<void> {
  const [first] = process.argv.slice(2);
  if (first === '--sink') return runSink();
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing: run npm run build first`);
  const rounds = Number(first ?? ROUNDS);
  // Outside the repository: its node_modules would hide packages that are missing from the bundles.
  const folder = mkdtempSync(join(tmpdir(), 'bench-cold-'));
  const sink = fork(process.argv[1] ?? '', ['--sink'], { stdio: 'ignore' });
  try {
    cpSync(join(BUILT, 'WriteLineProtocolFunction'), join(folder, 'task'), { recursive: true });
    const [port] = (await once(sink, 'message')) as [number];
    const endpoint = `http://127.0.0.1:${port}`;
    const starts = new Map<string, Start[]>();
    for (let i = 0; i < rounds; i++) {
      for (const destination of [undefined, ...DESTINATIONS]) {
        const way = destination ?? 'Node alone';
        starts.set(way, [...(starts.get(way) ?? []), start(endpoint, folder, destination)]);
      }
    }
    // This process blocks while it waits for the others, so it would not notice that a kept-alive connection was closed.
    const writes = await (await fetch(`${endpoint}/writes`, { headers: { connection: 'close' } })).text();
    const expected = JSON.stringify({ timestream: 2 * rounds, influxdb: 2 * rounds });
    if (writes !== expected) throw new Error(`the sink received the writes ${writes}, not ${expected}`);
    const rows = [...starts].map(([way, each]) => ({
      way,
      'ms to the first response': round(median(each.map(({ milliseconds }) => milliseconds)), 1),
      'CPU ms': round(median(each.map(({ cpuMilliseconds }) => cpuMilliseconds)), 1),
      'peak MB': round(median(each.map(({ peakMegabytes }) => peakMegabytes)), 0),
    }));
    await report(
      'cold-start',
      rows,
      { rounds },
      {
        title: 'Start of a process to its first response',
        value: 'CPU ms',
        meaning: 'CPU milliseconds',
        way: 'way',
      },
    );
  } finally {
    sink.kill();
    rmSync(folder, { recursive: true });
  }
}

runMain(main);
