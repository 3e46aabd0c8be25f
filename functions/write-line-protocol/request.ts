/** Turns the events that the function accepts into one form: an HTTP request. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { RequestBounds } from 'shared/config';
import type { DestinationName } from 'shared/destination-config';
import { InvalidEventError } from 'shared/errors';
import { scopeOf, type TokenScope } from 'shared/tokens/scope';
import { ApiError } from './api-error';
import { tooLarge } from './responses';

/**
 * The parts of an event that are read. It is a proxy event of API Gateway (REST, and HTTP version 2), a function URL or a load
 * balancer, the event of asynchronous mode, or a bare write: `{body, queryParameters}`.
 */
export interface WriteEvent {
  readonly httpMethod?: string;
  readonly path?: string;
  readonly resource?: string;
  readonly rawPath?: string;
  readonly rawQueryString?: string;
  readonly headers?: Readonly<Record<string, unknown>> | null;
  readonly queryStringParameters?: Readonly<Record<string, unknown>> | null;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, unknown>> | null;
  readonly queryParameters?: Readonly<Record<string, unknown>> | null;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly requestContext?: {
    readonly requestId?: string;
    readonly requestTimeEpoch?: number;
    readonly timeEpoch?: number;
    readonly stage?: string;
    readonly http?: { readonly method?: string; readonly path?: string };
    /** Only in requests from an Application Load Balancer. */
    readonly elb?: object;
    /** The context that the token authorizer returned. An HTTP API has it below `lambda`. */
    readonly authorizer?: Readonly<Record<string, unknown>> | null;
  };
  /** Set by the function itself in the events that it sends to itself in asynchronous mode. */
  readonly asynchronous?: boolean;
  /** In such events: the only destination that is to store the lines. */
  readonly destination?: unknown;
}

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
  /** When the request was made, ms since 1970. */
  readonly time: number;
  /** The request id of API Gateway; empty for other requests. */
  readonly id: string;
  /** The buckets and organizations that its token allows. */
  readonly scope: TokenScope;
  /** The only destination that is to store the lines; undefined for all that are configured. */
  readonly destination: DestinationName | undefined;
}

/** @throws InvalidEventError if a part has the wrong type */
export function readHttpRequest(event: WriteEvent): HttpRequest {
  const body = text(event.body, 'body') ?? '';
  const { requestContext } = event;
  const time = requestContext?.requestTimeEpoch ?? requestContext?.timeEpoch ?? Date.now();
  if (!Number.isSafeInteger(time) || time <= 0) {
    throw new InvalidEventError('requestContext.requestTimeEpoch of the event must be milliseconds since 1970');
  }
  const authorizer = requestContext?.authorizer;
  return {
    method: (
      text(event.httpMethod, 'httpMethod') ??
      text(requestContext?.http?.method, 'requestContext.http.method') ??
      'POST'
    ).toUpperCase(),
    path: requestPath(event).replace(/(?<=.)\/$/, ''),
    headers: strings(event.headers, (name) => name.toLowerCase()),
    query: queryParameters(event),
    body,
    isBase64Encoded: event.isBase64Encoded === true,
    time,
    id: text(requestContext?.requestId, 'requestContext.requestId') ?? '',
    scope: scopeOf((authorizer?.lambda as typeof authorizer) ?? authorizer),
    // Only an event that the function or Redrive sent may name it.
    destination: event.asynchronous === true ? destinationIn(event.destination) : undefined,
  };
}

function destinationIn(value: unknown): DestinationName | undefined {
  if (value === undefined || value === 'timestream' || value === 'influxdb') return value;
  throw new InvalidEventError('destination of the event must be timestream or influxdb');
}

/** If a parameter occurs twice, the first value counts, as in InfluxDB. */
function queryParameters(event: WriteEvent): Map<string, string> {
  const { rawQueryString, requestContext } = event;
  if (rawQueryString !== undefined) {
    // `queryStringParameters` joins the values of one name by commas.
    return new Map([...new URLSearchParams(text(rawQueryString, 'rawQueryString'))].reverse());
  }
  // A load balancer does not decode them.
  const decoded = requestContext?.elb === undefined ? undefined : fromUrl;
  return new Map([
    ...strings(event.queryStringParameters, decoded, decoded),
    // It has every value; `queryStringParameters` has only the last.
    ...strings(event.multiValueQueryStringParameters, decoded, decoded),
    ...strings(event.queryParameters),
  ]);
}

const fromUrl = (encoded: string): string => new URLSearchParams(`text=${encoded}`).get('text') ?? '';

/** The path below the stage. `resource` is read first, because a custom domain puts a prefix before `path`. */
function requestPath(event: WriteEvent): string {
  const resource = text(event.resource, 'resource');
  if (resource !== undefined && !resource.includes('{')) return resource;
  const path = text(event.path, 'path');
  if (path !== undefined) return path;
  const rawPath = text(event.rawPath, 'rawPath');
  if (rawPath === undefined) return '/api/v2/write';
  const stage = `/${text(event.requestContext?.stage, 'requestContext.stage') ?? ''}/`;
  return rawPath.startsWith(stage) ? rawPath.slice(stage.length - 1) : rawPath;
}

/** @throws InvalidEventError if the value is present and not a string */
function text(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw new InvalidEventError(`${name} of the event must be a string`);
}

const asItIs = (text: string): string => text;

/** Values may be strings or arrays; the first element of an array counts. */
function strings(
  values: Readonly<Record<string, unknown>> | null | undefined,
  nameOf = asItIs,
  textOf = asItIs,
): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of Object.entries(values ?? {})) {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'string') result.set(nameOf(name), textOf(first));
  }
  return result;
}

const decompress = promisify(gunzip);

const NEWLINE = 0x0a;
/** The byte order mark in UTF-8. Programs on Windows write it at the start of a text. */
const BYTE_ORDER_MARK = Buffer.from('\u{feff}');
/** Content codings that are not supported. Source: IANA's registry of HTTP content codings, and unregistered ones in use. */
const COMPRESSIONS = new Set(
  'aes128gcm br bzip2 compress dcb dcz deflate exi lz4 lzma pack200-gzip snappy x-bzip2 x-compress xz zip zlib zstd'.split(
    ' ',
  ),
);

/**
 * The bytes of the body, without base64, gzip and a byte order mark. Gzip is recognized by the header or by the first two bytes.
 * @throws ApiError 413 above a limit, 415 for another compression, 400 for invalid gzip
 */
export async function readBody(request: HttpRequest, bounds: RequestBounds): Promise<Buffer> {
  const raw = bytesOf(request, bounds.maxCompressedBytes);
  const compressed = isGzip(request.headers.get('content-encoding')) || (raw[0] === 0x1f && raw[1] === 0x8b);
  const body = compressed && raw.length > 0 ? await gunzipped(raw, bounds.maxDecompressedBytes) : raw;
  if (body.length > bounds.maxDecompressedBytes) throw tooLarge(`more than ${bounds.maxDecompressedBytes} bytes`);
  if (hasMoreLines(body, bounds.maxLines)) throw tooLarge(`more than ${bounds.maxLines} lines`);
  return body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? body.subarray(BYTE_ORDER_MARK.length)
    : body;
}

/** @throws ApiError 413 above `maxBytes`; a body that is certainly too long is refused before it is decoded */
function bytesOf({ body, isBase64Encoded }: HttpRequest, maxBytes: number): Buffer {
  const check = (bytes: number): void => {
    if (bytes > maxBytes) throw tooLarge(`${bytes} bytes, the maximum is ${maxBytes}`);
  };
  check(isBase64Encoded ? Buffer.byteLength(body, 'base64') : body.length);
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  check(bytes.length);
  return bytes;
}

/**
 * Whether a Content-Encoding says gzip. A value that is not a compression, such as a charset, is ignored, as InfluxDB does.
 * @throws ApiError 415 for another compression, or for more than one
 */
function isGzip(contentEncoding = ''): boolean {
  const names = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const isGzipName = (name: string): boolean => name === 'gzip' || name === 'x-gzip';
  const applied = names.filter((name) => isGzipName(name) || COMPRESSIONS.has(name));
  if (applied.length === 0) return false;
  if (applied.length === 1 && applied.every(isGzipName)) return true;
  throw new ApiError(
    415,
    'unsupported media type',
    `Content-Encoding '${applied.slice(0, 3).join(', ')}' is not supported: use gzip or identity`,
  );
}

async function gunzipped(raw: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await decompress(raw, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(`more than ${maxBytes} bytes`);
    throw new ApiError(400, 'invalid', 'the body is not valid gzip');
  }
}

/** Counts line breaks, including those inside strings, up to the limit. The last line may have no line break. */
function hasMoreLines(body: Buffer, maxLines: number): boolean {
  let lines = 0;
  for (let at = 0; at < body.length; lines++) {
    if (lines === maxLines) return true;
    const newline = body.indexOf(NEWLINE, at);
    at = newline < 0 ? body.length : newline + 1;
  }
  return false;
}
