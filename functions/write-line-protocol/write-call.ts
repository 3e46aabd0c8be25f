/**
 * Sends WriteRecords calls over keep-alive connections. It signs them with the SDK's credentials, but bypasses the SDK's
 * middleware; docs/adr/write-calls-past-the-sdk.md has the figures.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { untilAborted } from 'shared/resilience/backoff';
import { errorType, type SendWriteRecords, type ServiceResponse } from 'shared/timestream/service';
import { type Credentials, Signer } from './signature';

/** A call is aborted after this time without data on its connection. The request's deadline bounds all tries together. */
const SILENCE_MS = 3_000;
/** The agent gets no timeout: it would also close idle connections, and clients write only every 10 s or so. */
const CONNECTIONS = { keepAlive: true };
/** HTTP status of InvalidEndpointException, which requires another endpoint discovery. */
const INVALID_ENDPOINT = 421;
/** Error types of AWS services for a signature with a wrong time. Some of them may have another cause. */
const SKEW_ERRORS = new Set([
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'AuthFailure',
]);
/** Signatures are valid for 5 minutes. Below this difference the time is not the reason for a refusal. */
const MIN_SKEW_MS = 240_000;
const EXPIRED_CREDENTIALS = new Set(['ExpiredTokenException', 'ExpiredToken', 'TokenRefreshRequired']);

/** Gives the endpoint of calls: the configured one, or the one that Timestream assigns. */
export interface Target {
  resolve(signal: AbortSignal): Promise<Endpoint>;
}

interface Endpoint {
  readonly url: URL;
  /** Makes the next call request another endpoint. */
  invalidate(): void;
}

/** The SDK's provider: caches credentials until they expire; `forceRefresh` requests new ones. */
export type CredentialProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>;

/** How far the service's clock is ahead of this one, ms. The SDK keeps it in a client's configuration under this name. */
export interface ClockOffset {
  systemClockOffset: number;
}

interface DatedResponse extends ServiceResponse {
  /** The header `date`. */
  readonly date: string | undefined;
}

export interface SenderOptions {
  /** CAs in addition to those of Node.js. */
  readonly ca?: string;
  readonly silenceMs?: number;
}

/**
 * Sends each call once. If the response shows that the endpoint, the time or the credentials are outdated, it corrects them and
 * sends the call once more.
 * @param credentials called for each request, so that expired credentials are replaced
 */
export function callSender(
  target: Target,
  region: string,
  credentials: CredentialProvider,
  clock: ClockOffset = { systemClockOffset: 0 },
  { ca, silenceMs = SILENCE_MS }: SenderOptions = {},
): SendWriteRecords {
  const signer = new Signer(region, 'timestream');
  const https = new HttpsAgent({ ...CONNECTIONS, minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) });
  const connections = { http: new HttpAgent(CONNECTIONS), https, silenceMs };
  const send = async (body: Uint8Array, signal: AbortSignal, maySendAgain: boolean): Promise<ServiceResponse> => {
    // The SDK's providers accept no signal; their own timeouts end them.
    const [endpoint, keys] = await Promise.all([target.resolve(signal), untilAborted(credentials(), signal)]);
    const headers = {
      host: endpoint.url.host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'Timestream_20181101.WriteRecords',
    };
    const now = Date.now() + clock.systemClockOffset;
    const signed = signer.sign(headers, body, keys, new Date(now));
    const response = await post(endpoint.url, signed, body, connections, signal);
    if (response.status === 200 || !maySendAgain) return response;
    return (await correct(response, endpoint, now, signal)) ? send(body, signal, false) : response;
  };
  /** Corrects what the response reports as wrong: the endpoint, the credentials, or the time `now` of the signature. */
  const correct = async (
    response: DatedResponse,
    endpoint: Endpoint,
    now: number,
    signal: AbortSignal,
  ): Promise<boolean> => {
    if (response.status === INVALID_ENDPOINT) {
      endpoint.invalidate();
      return true;
    }
    const type = errorType(response) ?? '';
    if (EXPIRED_CREDENTIALS.has(type)) {
      await untilAborted(credentials({ forceRefresh: true }), signal);
      return true;
    }
    const serviceTime = SKEW_ERRORS.has(type) ? Date.parse(response.date ?? '') : Number.NaN;
    if (!(Math.abs(serviceTime - now) >= MIN_SKEW_MS)) return false;
    clock.systemClockOffset = serviceTime - Date.now();
    return true;
  };
  return (body, signal) => send(body, signal, true);
}

function post(
  url: URL,
  headers: Record<string, string>,
  body: Uint8Array,
  { http, https, silenceMs }: { readonly http: HttpAgent; readonly https: HttpsAgent; readonly silenceMs: number },
  signal: AbortSignal,
): Promise<DatedResponse> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      path: '/',
      // Node sends a list as it is. It checks and copies an object header by header, which takes a tenth of a call's CPU time.
      headers: Object.entries(headers).flat().concat('content-length', String(body.length), 'connection', 'keep-alive'),
      timeout: silenceMs,
    };
    const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port };
    const request =
      url.protocol === 'https:'
        ? httpsRequest({ ...options, ...place, agent: https })
        : httpRequest({ ...options, ...place, agent: http });
    // The option `signal` would watch the whole stream, which takes a tenth of a call's CPU time.
    const abort = (): unknown => request.destroy(new Error('the deadline of the request has passed'));
    signal.addEventListener('abort', abort, { once: true });
    request.on('close', () => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
    request.on('timeout', () => request.destroy(new Error(`no response within ${silenceMs} ms`)));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), date: response.headers.date }),
      );
    });
    request.end(body);
  });
}
