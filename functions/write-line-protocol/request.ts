/** Reads the events that the function takes into one form: an HTTP request. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { RequestBounds } from 'shared/config';
import { InvalidEventError } from 'shared/errors';
import { scopeOf, type TokenScope } from 'shared/tokens/scope';
import { ApiError, tooLarge } from './responses';

/**
 * What of an event is looked at: API Gateway's proxy events (REST, and HTTP version 2), the asynchronous hand-over, or a bare
 * `{body, queryParameters}`, which is a write.
 */
export interface WriteEvent {
  readonly httpMethod?: string;
  readonly path?: string;
  readonly resource?: string;
  readonly rawPath?: string;
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
    /** The context that the token authorizer gave. */
    readonly authorizer?: Readonly<Record<string, unknown>> | null;
  };
  /** Set by the function itself on what it hands over in asynchronous mode. */
  readonly asynchronous?: boolean;
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
  /** As API Gateway gave it; empty where it did not. */
  readonly id: string;
  /** Where its token may write. */
  readonly scope: TokenScope;
}

/** @throws InvalidEventError where the event is none of the forms */
export function readRequest(input: unknown): HttpRequest {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new InvalidEventError(
      'the event must be an object: an API Gateway proxy event, or {"body": "<line protocol>"}',
    );
  }
  const event = input as WriteEvent;
  const body = event.body ?? '';
  if (typeof body !== 'string') throw new InvalidEventError('the body of the event must be a string');
  const { requestContext } = event;
  const time = requestContext?.requestTimeEpoch ?? requestContext?.timeEpoch ?? Date.now();
  if (!Number.isSafeInteger(time) || time <= 0) {
    throw new InvalidEventError('requestContext.requestTimeEpoch of the event must be milliseconds since 1970');
  }
  return {
    method: (
      text(event.httpMethod, 'httpMethod') ??
      text(requestContext?.http?.method, 'requestContext.http.method') ??
      'POST'
    ).toUpperCase(),
    path: requestPath(event),
    headers: strings(event.headers, true),
    query: new Map([
      ...strings(event.multiValueQueryStringParameters),
      ...strings(event.queryStringParameters),
      ...strings(event.queryParameters),
    ]),
    body,
    isBase64Encoded: event.isBase64Encoded === true,
    time,
    id: text(requestContext?.requestId, 'requestContext.requestId') ?? '',
    scope: scopeOf(requestContext?.authorizer),
  };
}

/** The path below the stage. The resource names it where a custom domain puts a prefix before the path. */
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

/** @throws InvalidEventError for what is there and no text */
function text(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw new InvalidEventError(`${name} of the event must be a string`);
}

/** Values may be strings or arrays, of which the first counts. */
function strings(values: Readonly<Record<string, unknown>> | null | undefined, lowerCase = false): Map<string, string> {
  const result = new Map<string, string>();
  for (const [name, value] of Object.entries(values ?? {})) {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'string') result.set(lowerCase ? name.toLowerCase() : name, first);
  }
  return result;
}

const decompress = promisify(gunzip);

/** How much of a header's value an answer repeats, in characters. */
const MAX_SHOWN = 100;
const NEWLINE = 0x0a;

/**
 * The bytes of the body: base64 and gzip undone, gzip by its header or its first two bytes.
 * @throws ApiError 413 beyond a bound, 415 for another encoding, 400 for what is not gzip
 */
export async function readBody(request: HttpRequest, bounds: RequestBounds): Promise<Buffer> {
  const raw = bytesOf(request, bounds.maxCompressedBytes);
  const compressed = isGzip(request.headers.get('content-encoding')) || (raw[0] === 0x1f && raw[1] === 0x8b);
  const body = compressed && raw.length > 0 ? await gunzipped(raw, bounds.maxDecompressedBytes) : raw;
  if (body.length > bounds.maxDecompressedBytes) throw tooLarge(`more than ${bounds.maxDecompressedBytes} bytes`);
  if (hasMoreLines(body, bounds.maxLines)) throw tooLarge(`more than ${bounds.maxLines} lines`);
  return body;
}

/** @throws ApiError 413 beyond `most`; a text that must be longer is not made bytes of */
function bytesOf({ body, isBase64Encoded }: HttpRequest, most: number): Buffer {
  const check = (bytes: number): void => {
    if (bytes > most) throw tooLarge(`${bytes} bytes, at most ${most}`);
  };
  check(isBase64Encoded ? Buffer.byteLength(body, 'base64') : body.length);
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  check(bytes.length);
  return bytes;
}

/** @throws ApiError 415 for any other encoding than gzip and none */
function isGzip(contentEncoding = ''): boolean {
  const encoding = contentEncoding.trim().toLowerCase();
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  if (encoding === 'identity' || encoding === '') return false;
  throw new ApiError(
    415,
    'unsupported media type',
    `Content-Encoding '${encoding.slice(0, MAX_SHOWN)}' is not supported: use gzip or identity`,
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

/** Counts line breaks, those inside strings too, and no further than needed. The last line may have none. */
function hasMoreLines(body: Buffer, maxLines: number): boolean {
  let lines = 0;
  for (let at = 0; at < body.length; lines++) {
    if (lines === maxLines) return true;
    const newline = body.indexOf(NEWLINE, at);
    at = newline < 0 ? body.length : newline + 1;
  }
  return false;
}
