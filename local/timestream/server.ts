/**
 * The embedded Timestream: an HTTP server that speaks the Write and Query APIs of Amazon Timestream for LiveAnalytics
 * (awsJson1.0) over DuckDB, for development and tests. Credentials are not checked.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Catalog } from './catalog';
import { ServiceError } from './errors';
import { delay, type Fault, type Intercept } from './faults';
import { formatJson, parseJson } from './json';
import { perform, type Service } from './operations';
import { Pages } from './pages';
import { objectOf, root } from './shape';
import { MACRO_STATEMENTS } from './sql-functions';
import { StorageFault } from './storage-fault';
import { Store } from './store';
import { type TableSize, tableSizes } from './table-sizes';
import { type UnloadOptions, Unloads } from './unload/unloads';
import { WriteQueue } from './write-queue';

export type { Fault, Intercept } from './faults';

export interface TimestreamOptions {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** The folder of the data; if absent, data is kept in memory only. */
  readonly dataDir?: string;
  /** Milliseconds since 1970; by default the system clock. */
  readonly now?: () => number;
  readonly intercept?: Intercept;
  /** How UNLOAD is carried out; without it, UNLOAD is refused. */
  readonly unload?: UnloadOptions;
}

export interface RunningTimestream {
  readonly url: string;
  readonly port: number;
  /** The reason why nothing can be stored at the moment; undefined if points can be stored. */
  readonly storageFault: () => string | undefined;
  /** After a storage fault, tries to write again. Rejects with the reason if that fails. */
  readonly assertWritable: () => Promise<void>;
  /** The tables and the number of their records. */
  readonly tableSizes: () => Promise<TableSize[]>;
  /** Completes the requests in progress, stores everything and closes all connections. */
  close(): Promise<void>;
}

const TARGET = 'Timestream_20181101.';
const MAX_BODY = 4 * 1024 * 1024;
/** Longer than clients keep idle connections, so that no connection is closed just when a client uses it again. */
const KEEP_ALIVE_MS = 120_000;

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // The rest is read and dropped, so that the client gets the response instead of a broken connection.
    if (size <= MAX_BODY) chunks.push(chunk);
  }
  if (size > MAX_BODY) {
    throw new ServiceError('ValidationException', `The request exceeds the limit of ${MAX_BODY} bytes.`, {}, 413);
  }
  return Buffer.concat(chunks).toString();
}

function operationOf(request: IncomingMessage): string {
  const target = request.headers['x-amz-target'];
  if (request.method !== 'POST' || typeof target !== 'string' || !target.startsWith(TARGET)) {
    throw new ServiceError(
      'UnknownOperationException',
      `Expected a POST with the header X-Amz-Target: ${TARGET}<Operation>.`,
    );
  }
  return target.slice(TARGET.length);
}

/**
 * The address of this server for DescribeEndpoints. The AWS CLI and the SDK for Python use https unless it names another scheme, which
 * other SDKs do not accept.
 */
function addressOf({ headers }: IncomingMessage): string {
  const isBotocore = /\b(?:botocore|boto3|aws-cli)\b/i.test(headers['user-agent'] ?? '');
  return `${isBotocore ? 'http://' : ''}${headers.host ?? ''}`;
}

function respond(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
) {
  const text = formatJson(body);
  response.writeHead(status, {
    'Content-Type': 'application/x-amz-json-1.0',
    'Content-Length': Buffer.byteLength(text),
    'X-Amzn-RequestId': randomUUID(),
    ...headers,
  });
  response.end(text);
}

function respondError(response: ServerResponse, error: unknown) {
  if (error instanceof ServiceError) return respond(response, error.status, error.body());
  if (error instanceof StorageFault) {
    // A quota error, because an immediate retry does not help. The store has logged it.
    const full = new ServiceError('ServiceQuotaExceededException', error.message);
    return respond(response, full.status, full.body());
  }
  console.error('embedded Timestream:', error);
  const internal = new ServiceError('InternalServerException', 'The request could not be carried out.');
  return respond(response, internal.status, internal.body());
}

/** Serves one request; its body has been read. */
async function serve(
  service: Omit<Service, 'signal'>,
  intercept: Intercept | undefined,
  closing: AbortSignal,
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const operation = operationOf(request);
  const input = objectOf(parseJson(body || '{}'), root);
  const fault: Fault | undefined = intercept?.(operation, input);
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const work = () => perform({ ...service, signal: closed.signal }, operation, input, addressOf(request));
  const ignore = (outcome: Promise<unknown>) =>
    outcome.then(
      () => undefined,
      () => undefined,
    );

  switch (fault?.kind) {
    case 'hang':
      return;
    case 'drop':
      if (fault.when === 'after') await ignore(work());
      response.destroy();
      return;
    case 'error': {
      if (fault.when === 'after') await ignore(work());
      const error = new ServiceError(fault.type, fault.message ?? fault.type, fault.extra, fault.status);
      return respond(response, error.status, error.body(), fault.headers);
    }
    case 'delay':
      await delay(fault.until, closing);
      break;
    case undefined:
  }
  respond(response, 200, await work());
}

/** Opens the data and listens. Rejects if the folder or the port cannot be used. */
export async function startTimestream(options: TimestreamOptions): Promise<RunningTimestream> {
  const store = await Store.open(options.dataDir);
  try {
    return await listen(store, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function listen(store: Store, options: TimestreamOptions): Promise<RunningTimestream> {
  const now = options.now ?? Date.now;
  for (const statement of MACRO_STATEMENTS) await store.run(statement);
  const catalog = await Catalog.load(store, now);
  const unloads = new Unloads(store, catalog, now, options.unload);
  const writes = new WriteQueue(store, catalog, now);
  const service = { store, catalog, pages: new Pages(), unloads, writes, now };
  const closing = new AbortController();
  const active = new Set<Promise<void>>();

  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => {
        const task = serve(service, options.intercept, closing.signal, request, body, response)
          .catch((error: unknown) => respondError(response, error))
          .finally(() => active.delete(task));
        active.add(task);
      })
      .catch((error: unknown) => (request.destroyed && !request.complete ? undefined : respondError(response, error)));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  let closed: Promise<void> | undefined;
  const close = async () => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    closing.abort();
    await unloads.close();
    await Promise.all(active);
    server.closeAllConnections();
    await ended;
    // Requests that arrived in the meantime on a keep-alive connection.
    await Promise.all(active);
    await unloads.close();
    await store.close();
  };
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    port,
    storageFault: () => store.fault,
    assertWritable: () => store.assertWritable(),
    tableSizes: () => tableSizes(catalog, store),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
