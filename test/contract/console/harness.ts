/** Starts the servers of `start` with the console, and calls its API as the page does. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectorConfig, loadConnectorConfig } from 'shared/config';
import { type RunningServers, type StartOptions, startServers } from '../../../local/start';

export const DATABASE = 'influxdb-line-protocol';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface TestConsole extends RunningServers {
  /** The folder of the runs that it shows. */
  readonly runs: string;
  /** Sends any request; `fetch` would not send another Host. */
  send(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: string): Promise<Reply>;
  /** Calls the API with the page's header, and returns the JSON of its response. */
  api(path: string, body?: object): Promise<Readonly<Record<string, unknown>>>;
  write(lines: string, precision?: string): Promise<number>;
}

export async function startConsole(
  options: Partial<StartOptions> = {},
  config: ConnectorConfig = loadConnectorConfig({}),
): Promise<TestConsole> {
  const folder = mkdtempSync(join(tmpdir(), 'console-'));
  const assets = join(folder, 'page');
  const folders = options.consoleFolders ?? { assets, runs: join(folder, 'runs') };
  mkdirSync(assets);
  writeFileSync(join(assets, 'index.html'), '<!doctype html><title>Console</title>');
  writeFileSync(join(assets, 'console.js'), 'export {};');
  writeFileSync(join(folder, 'secret.js'), 'not of the page');
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const servers = await startServers(
    {
      port: 0,
      host: '127.0.0.1',
      timestreamPort: 0,
      timestreamHost: '127.0.0.1',
      dataDir: undefined,
      exportDir: undefined,
      s3Endpoint: undefined,
      aws: false,
      tokens: [],
      consoleFolders: folders,
      ...options,
    },
    config,
  );
  // A URL would normalize the path.
  const { hostname, port } = new URL(servers.url);
  const send: TestConsole['send'] = (method, path, headers = {}, body = '') =>
    new Promise((resolve, reject) => {
      const sent = request({ host: hostname, port, method, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return {
    ...servers,
    runs: folders.runs,
    send,
    api: async (path, body) => {
      const method = body === undefined ? 'GET' : 'POST';
      const reply = await send(method, `/console/api/${path}`, { 'X-Console': '1' }, body && JSON.stringify(body));
      return { status: reply.status, ...(JSON.parse(reply.text) as object) };
    },
    write: async (lines, precision = 's') => {
      const { status } = await send('POST', `/api/v2/write?precision=${precision}`, { 'User-Agent': 'probe/1' }, lines);
      return status;
    },
    close: async () => {
      await servers.close();
      log.mockRestore();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Seconds since 1970, which the embedded Timestream accepts as a point's time. */
export const now = (): number => Math.floor(Date.now() / 1000);
