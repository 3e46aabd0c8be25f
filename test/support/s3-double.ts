/**
 * A bucket store for tests, with the part of S3's REST API that the loader uses: ranged GET with If-Match, HEAD, PUT and ListObjectsV2.
 * Objects are in memory; requests are recorded.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { S3ClientConfig } from '@aws-sdk/client-s3';

export interface S3Request {
  readonly method: string;
  /** `bucket/key`, decoded. */
  readonly path: string;
  readonly range: string | undefined;
}

export class S3Double {
  readonly objects = new Map<string, Buffer>();
  readonly requests: S3Request[] = [];
  /** Called before each response; a status that it returns becomes the response, with the usual code or the given one. */
  fail: (request: S3Request) => number | readonly [status: number, code: string] | undefined = () => undefined;
  /** Latency of each response, for benchmarks. */
  latencyMs = 0;
  /** Keys per page of a listing. */
  pageSize = 1000;
  private sorted: readonly string[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((message, response) => void this.respond(message, response));
  }

  static async start(): Promise<S3Double> {
    const double = new S3Double();
    double.server.listen(0, '127.0.0.1');
    await once(double.server, 'listening');
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Configuration of an SDK client. */
  get options(): S3ClientConfig {
    return {
      endpoint: this.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      forcePathStyle: true,
      maxAttempts: 1,
    };
  }

  put(bucket: string, key: string, body: Uint8Array | string): void {
    this.objects.set(`${bucket}/${key}`, Buffer.from(body));
  }

  text(bucket: string, key: string): string {
    const body = this.objects.get(`${bucket}/${key}`);
    if (!body) throw new Error(`no object ${bucket}/${key}; the store has ${[...this.objects.keys()].join(', ')}`);
    return body.toString('utf8');
  }

  /** The JSON objects of an object in JSON Lines. */
  lines<T = Record<string, unknown>>(bucket: string, key: string): T[] {
    const text = this.text(bucket, key);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const url = new URL(message.url ?? '/', 'http://s3');
    const path = decodeURIComponent(url.pathname.slice(1));
    const method = message.method ?? '';
    const { range } = message.headers;
    this.requests.push({ method, path, range });
    if (this.latencyMs > 0) await delay(this.latencyMs);
    const failure = this.fail({ method, path, range });
    if (failure !== undefined) {
      const [status, code] = typeof failure === 'number' ? [failure] : failure;
      return refuse(response, status, method, code);
    }
    if (method === 'PUT') {
      const body = unchunked(Buffer.concat(chunks), message.headers['content-encoding']);
      this.objects.set(path, body);
      response.writeHead(200, { etag: etagOf(body) }).end();
    } else if (url.searchParams.get('list-type') === '2')
      this.list(path.replace(/\/$/, ''), url.searchParams, response);
    else this.get(path, message, response);
  }

  private get(path: string, { method, headers }: IncomingMessage, response: ServerResponse): void {
    const body = this.objects.get(path) ?? Buffer.alloc(0);
    const etag = etagOf(body);
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const isChanged = headers['if-match'] !== undefined && headers['if-match'] !== etag;
    const isBeyond = start !== undefined && Number(start) >= body.length;
    const failure = this.objects.has(path) ? (isChanged && 412) || (isBeyond && 416) : 404;
    if (failure) {
      refuse(response, failure, method ?? '');
      return;
    }
    const part = start === undefined ? body : body.subarray(Number(start), Number(end) + 1);
    const head = { etag, 'content-length': part.length, 'last-modified': new Date(0).toUTCString() };
    const partial = { 'content-range': `bytes ${start}-${end}/${body.length}` };
    response.writeHead(start === undefined ? 200 : 206, start === undefined ? head : { ...head, ...partial });
    response.end(method === 'HEAD' ? undefined : part);
  }

  /** Keys in order, sorted once per listing, because a long listing has many pages. */
  private keysOf(bucket: string, isFirstPage: boolean): readonly string[] {
    if (isFirstPage) {
      const paths = [...this.objects.keys()].filter((path) => path.startsWith(`${bucket}/`));
      this.sorted = paths.map((path) => path.slice(bucket.length + 1)).sort();
    }
    return this.sorted;
  }

  private list(bucket: string, query: URLSearchParams, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const found = this.keysOf(bucket, !query.has('continuation-token')).filter(
      (key) => key.startsWith(prefix) && key > after,
    );
    const page = found.slice(0, this.pageSize);
    const contents = page.map((key) => {
      const body = this.objects.get(`${bucket}/${key}`) ?? Buffer.alloc(0);
      return `<Contents><Key>${xml(key)}</Key><ETag>${xml(etagOf(body))}</ETag><Size>${body.length}</Size></Contents>`;
    });
    const isTruncated = page.length < found.length;
    const next = isTruncated ? `<NextContinuationToken>${xml(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  }
}

const etags = new WeakMap<Uint8Array, string>();

export function etagOf(body: Uint8Array): string {
  const etag = etags.get(body) ?? `"${createHash('md5').update(body).digest('hex')}"`;
  etags.set(body, etag);
  return etag;
}

const CODES: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  400: 'InvalidRequest',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  405: 'MethodNotAllowed',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
  503: 'SlowDown',
};

function refuse(
  response: ServerResponse,
  status: number,
  method: string,
  code = CODES[status] ?? 'InternalError',
): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(method === 'HEAD' ? undefined : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

/** The SDK sends streams in its own chunked encoding. */
function unchunked(body: Buffer, encoding: string | undefined): Buffer {
  if (encoding !== 'aws-chunked') return body;
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, end), 16);
    if (!(size > 0)) break;
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
