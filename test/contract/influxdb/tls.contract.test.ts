/** InfluxDB over HTTPS: authorities, reused connections, and wrong certificates and addresses. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkHealth } from 'shared/influxdb/health';
import { type Authority, makeAuthority } from '../../support/certificates';
import { ADVICE, clientOf, numberedBatches, write } from '../../support/influx-writing';
import { startProgram } from '../../support/program';
import { ScriptedServer } from '../../support/scripted-server';

const folder = mkdtempSync(join(tmpdir(), 'tls-'));
const authorityFile = join(folder, 'authority.pem');
let authority: Authority;
let server: ScriptedServer;

beforeAll(async () => {
  authority = await makeAuthority();
  writeFileSync(authorityFile, authority.cert);
});
afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

async function serve(hostname = 'localhost', from?: Date): Promise<void> {
  server = await ScriptedServer.start(() => ({ status: 204 }), await authority.sign(hostname, from));
}

/** Writes in a process that trusts the authority. Each call is one write. */
async function withTrustingClient(use: (write: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const environment = { NODE_EXTRA_CA_CERTS: authorityFile };
  const child: ChildProcessWithoutNullStreams = startProgram('test/support/tls-client.ts', {
    arguments: [server.url],
    environment,
  });
  const results = createInterface(child.stdout)[Symbol.asyncIterator]();
  try {
    await use(async () => {
      child.stdin.write('\n');
      return JSON.parse((await results.next()).value ?? 'null');
    });
  } finally {
    child.stdin.end();
    await once(child, 'close');
  }
}

const STORED = { pointsWritten: 10, retries: 0 };

test('writes to a server with an authority from NODE_EXTRA_CA_CERTS, over one connection', async () => {
  await serve();
  await withTrustingClient(async (writeOnce) => {
    expect(await writeOnce()).toEqual(STORED);
    expect(await writeOnce()).toEqual(STORED);
  });
  expect(server.requests).toHaveLength(2);
  expect(server.connections).toBe(1);
});

test('replaces a connection that the server closed while it was idle', async () => {
  await serve();
  await withTrustingClient(async (writeOnce) => {
    expect(await writeOnce()).toEqual(STORED);
    server.dropIdleConnections();
    expect(await writeOnce()).toMatchObject({ pointsWritten: 10 });
  });
  expect(server.connections).toBe(2);
});

test.each<[string, string, Date | undefined, RegExp]>([
  [
    'for another host name',
    'influxdb.example',
    undefined,
    /certificate of localhost:\d+ is for another host name.*influxdb\.example/,
  ],
  [
    'that is expired',
    'localhost',
    new Date('2020-01-01'),
    /certificate of localhost:\d+ is expired or not yet valid.*EXPIRED/,
  ],
  [
    'that is not yet valid',
    'localhost',
    new Date('2100-01-01'),
    /certificate of localhost:\d+ is expired or not yet valid.*NOT_YET/,
  ],
])('rejects a certificate %s without retries, and names the reason', async (_, hostname, from, message) => {
  await serve(hostname, from);
  await withTrustingClient(async (writeOnce) => {
    const failure = expect.stringMatching(message);
    expect(await writeOnce()).toEqual({ pointsWritten: 0, retries: 0, failure });
  });
  expect(server.requests).toHaveLength(0);
});

test('rejects a certificate of an unknown authority without retries, and names NODE_EXTRA_CA_CERTS', async () => {
  await serve();
  const client = clientOf(server.url);
  const { failure, retries } = await write(client, numberedBatches(1, 1));
  client.close();
  expect(failure).toMatchObject({ name: 'InfluxDBWriteError' });
  expect(failure?.message).toMatch(
    /that Node\.js does not trust \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\).*NODE_EXTRA_CA_CERTS/,
  );
  expect(retries).toBe(0);
});

describe('the health check', () => {
  async function check(url: string) {
    const client = clientOf(url);
    try {
      return await checkHealth(client, ADVICE);
    } finally {
      client.close();
    }
  }
  const failing = (reason: RegExp) => ({
    healthy: false,
    retryable: false,
    checks: [{ name: 'alive', status: 'fail', detail: expect.stringMatching(reason) }],
  });

  test('with https at an HTTP server suggests http', async () => {
    server = await ScriptedServer.start(() => ({ status: 204 }));
    const report = await check(server.url.replace('http:', 'https:'));
    expect(report).toMatchObject(
      failing(/^https was requested, but the server at 127\.0\.0\.1:\d+ speaks http\. Use http:\/\/$/),
    );
  });

  test('with http at an HTTPS server suggests https', async () => {
    await serve();
    const report = await check(server.url.replace('https:', 'http:'));
    expect(report).toMatchObject(
      failing(/^http was requested, but the server at localhost:\d+ speaks https\. Use https:\/\/$/),
    );
  });

  test('of an unknown authority is not retryable', async () => {
    await serve();
    expect(await check(server.url)).toMatchObject(failing(/that Node\.js does not trust/));
  });
});
