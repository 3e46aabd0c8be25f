/**
 * Measures one WriteRecords call, from its body to its response: with node:http, with the connector's HTTP client, and with the
 * signature too. Before the measurement it checks that a sink receives the same requests of each.
 *
 *     npm run bench -- call [rounds]
 *
 * The ways are measured in turn, in blocks of calls, in this process; the sink is another one. System time is mostly that of sending
 * the bytes, which no client can save.
 */
import { fork } from 'node:child_process';
import { Agent, createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpClient } from '../functions/write-line-protocol/http-client';
import { Signer } from '../functions/write-line-protocol/signature';
import { callSender } from '../functions/write-line-protocol/write-call';
import { naiveCalls } from './naive';
import { type Row, report, round } from './report';
import { median, runMain } from './runs';
import { workload } from './workloads';

/** Calls in flight, as for a request of the connector. */
const IN_FLIGHT = 10;
const CALLS = 1_000;
const CREDENTIALS = { accessKeyId: 'bench', secretAccessKey: 'bench', sessionToken: 'token'.repeat(200) };
const { signal } = new AbortController();

/** Sends a body and returns the status. */
type Send = (body: Buffer) => Promise<number>;

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function waysTo(endpoint: string): Record<string, Send> {
  const url = new URL(endpoint);
  const headers = { host: url.host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'T.WriteRecords' };
  const signed = new Signer('us-east-1', 'timestream').sign(headers, Buffer.of(), CREDENTIALS, new Date());
  const agent = new Agent({ keepAlive: true });
  const client = new HttpClient({ silenceMs: 3_000 });
  const target = { resolve: () => Promise.resolve({ url, invalidate: () => undefined }) };
  const sendCall = callSender(target, 'us-east-1', () => Promise.resolve(CREDENTIALS));
  const fields = [...Object.entries(signed).flat(), 'connection', 'keep-alive'];
  return {
    'node:http': (body) =>
      new Promise((resolve, reject) => {
        const options = { method: 'POST', path: '/', host: url.hostname, port: url.port, agent, timeout: 3_000 };
        const message = request({ ...options, headers: [...fields, 'content-length', String(body.length)] });
        message.on('error', reject);
        message.on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve(Buffer.concat(chunks).length > 0 ? (response.statusCode ?? 0) : 0));
        });
        message.end(body);
      }),
    'the client': async (body) => (await client.post(url, signed, body, signal)).status,
    'the client, signed': async (body) => (await sendCall(body, signal)).status,
  };
}

/** The sink, in a separate process: responds to every call, and returns what it received at /received. */
function runSink(): void {
  let received: Received[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      if (message.url === '/received') {
        response.end(JSON.stringify(received));
        received = [];
        return;
      }
      const { headers } = message;
      if (received.length < 20) received.push({ headers, body: Buffer.concat(chunks).toString() });
      response.setHeader('x-amzn-requestid', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end('{"RecordsIngested":{"MagneticStore":0,"MemoryStore":100,"Total":100}}');
    });
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

/** @throws Error if the sink receives other bodies or headers than those of the first way */
async function compare(endpoint: string, ways: Record<string, Send>, bodies: readonly Buffer[]): Promise<void> {
  const take = async (): Promise<Received[]> =>
    (await (await fetch(`${endpoint}/received`, { headers: { connection: 'close' } })).json()) as Received[];
  await take();
  for (const [way, send] of Object.entries(ways)) {
    for (const body of bodies) await send(body);
    const received = await take();
    if (received.map(({ body }) => body).join('\n') !== bodies.join('\n')) throw new Error(`${way}: other bodies`);
    const names = received.map(({ headers }) => Object.keys(headers).sort().join());
    const expected = 'authorization,connection,content-length,content-type,host,x-amz-content-sha256,x-amz-date';
    if (names.some((list) => list !== `${expected},x-amz-security-token,x-amz-target`)) {
      throw new Error(`${way}: other headers: ${names[0]}`);
    }
  }
}

async function sendAll(send: Send, bodies: readonly Buffer[]): Promise<void> {
  let sent = 0;
  const work = Array.from({ length: IN_FLIGHT }, async () => {
    while (sent < CALLS) {
      const status = await send(bodies[sent++ % bodies.length] ?? Buffer.of());
      if (status !== 200) throw new Error(`status ${status}`);
    }
  });
  await Promise.all(work);
}

async function main(): Promise<void> {
  const [first = '15'] = process.argv.slice(2);
  if (first === '--sink') return runSink();
  const sink = fork(process.argv[1] ?? '', ['--sink'], { stdio: 'ignore' });
  try {
    const port = await new Promise<number>((resolve) => sink.once('message', (message) => resolve(Number(message))));
    const endpoint = `http://127.0.0.1:${port}`;
    const ways = waysTo(endpoint);
    const rows: Row[] = [];
    for (const name of ['narrow', 'devops']) {
      const bodies = naiveCalls(Buffer.from(workload(name).request(0, 2_000)))
        .slice(0, 20)
        .map((call) => Buffer.from(JSON.stringify(call)));
      await compare(endpoint, ways, bodies);
      const costs = Object.keys(ways).map(() => ({ user: [] as number[], system: [] as number[] }));
      for (let turn = -2; turn < Number(first); turn++) {
        for (const [index, send] of Object.values(ways).entries()) {
          const before = process.cpuUsage();
          await sendAll(send, bodies);
          const { user, system } = process.cpuUsage(before);
          if (turn < 0) continue;
          costs[index]?.user.push(user / CALLS);
          costs[index]?.system.push(system / CALLS);
        }
      }
      const bytes = Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / bodies.length);
      const totals = costs.map(({ user, system }) => user.map((each, turn) => each + (system[turn] ?? 0)));
      for (const [index, way] of Object.keys(ways).entries()) {
        const { user = [], system = [] } = costs[index] ?? {};
        const ratios = (totals[index] ?? []).map((total, turn) => total / (totals[0]?.[turn] ?? 0));
        rows.push({
          'bytes per call': bytes,
          way,
          'CPU µs': round(median(totals[index] ?? []), 1),
          'user µs': round(median(user), 1),
          'system µs': round(median(system), 1),
          ratio: round(median(ratios)),
        });
      }
    }
    await report('call', rows, { rounds: first, calls: CALLS });
  } finally {
    sink.kill();
  }
}

runMain(main);
