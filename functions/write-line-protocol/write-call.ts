/**
 * Sends WriteRecords calls over kept-alive connections: signed here, past the SDK's middleware, with its credentials.
 * docs/adr/write-calls-past-the-sdk.md has the figures.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { untilAborted } from 'shared/resilience/backoff';
import { errorType, type SendWriteRecords, type ServiceResponse } from 'shared/timestream/service';
import { type Credentials, Signer } from './signature';

/** Silence on a connection after which a call is aborted; the request's deadline bounds all of its tries together. */
const SILENCE_MS = 3_000;
/** Without a time limit of the agent's, which would end idle connections too: clients write every 10 s or so. */
const CONNECTIONS = { keepAlive: true };
/** HTTP status of InvalidEndpointException, which asks for another endpoint discovery. */
const INVALID_ENDPOINT = 421;
/** What AWS services call a signature whose time is not theirs; some of them may have another cause. */
const SKEW_ERRORS = new Set([
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'AuthFailure',
]);
/** Signatures are good for 5 minutes; below this difference the time is not why one was refused. */
const MIN_SKEW_MS = 240_000;
const EXPIRED_CREDENTIALS = new Set(['ExpiredTokenException', 'ExpiredToken', 'TokenRefreshRequired']);

/** Where calls go: an endpoint that is given, or one that Timestream assigns. */
export interface Target {
  resolve(signal: AbortSignal): Promise<Endpoint>;
}

interface Endpoint {
  readonly url: URL;
  /** Has another one asked for at the next call. */
  invalidate(): void;
}

/** The SDK's provider: keeps credentials until they expire, unless it is told to ask for new ones. */
export type CredentialProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>;

/** How far the service's clock is ahead of this one, ms. The SDK has it in a client's configuration, under this name. */
export interface ClockOffset {
  systemClockOffset: number;
}

interface DatedResponse extends ServiceResponse {
  /** The header `date`. */
  readonly date: string | undefined;
}

export interface SenderOptions {
  /** CAs beside those of Node.js. */
  readonly ca?: string;
  readonly silenceMs?: number;
}

/**
 * Sends each call once, and once more where the answer says how to correct it: another endpoint, another time, newer credentials.
 * @param credentials is asked at each call, so that they refresh
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
    // The SDK's providers take no signal: their own time limits end them.
    const [endpoint, keys] = await Promise.all([target.resolve(signal), untilAborted(credentials(), signal)]);
    const headers = {
      host: endpoint.url.host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'Timestream_20181101.WriteRecords',
    };
    const now = Date.now() + clock.systemClockOffset;
    const answer = await post(endpoint.url, signer.sign(headers, body, keys, new Date(now)), body, connections, signal);
    if (answer.status === 200 || !maySendAgain) return answer;
    return (await correct(answer, endpoint, now, signal)) ? send(body, signal, false) : answer;
  };
  /** Corrects what an answer complains of: the endpoint, the credentials, or the time `now` of the signature. */
  const correct = async (
    answer: DatedResponse,
    endpoint: Endpoint,
    now: number,
    signal: AbortSignal,
  ): Promise<boolean> => {
    if (answer.status === INVALID_ENDPOINT) {
      endpoint.invalidate();
      return true;
    }
    const type = errorType(answer) ?? '';
    if (EXPIRED_CREDENTIALS.has(type)) {
      await untilAborted(credentials({ forceRefresh: true }), signal);
      return true;
    }
    const serviceTime = SKEW_ERRORS.has(type) ? Date.parse(answer.date ?? '') : Number.NaN;
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
      // As a list they go out as they are; an object is checked and copied header by header, a tenth of a call's CPU time.
      headers: Object.entries(headers).flat().concat('content-length', String(body.length), 'connection', 'keep-alive'),
      timeout: silenceMs,
    };
    const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port };
    const request =
      url.protocol === 'https:'
        ? httpsRequest({ ...options, ...place, agent: https })
        : httpRequest({ ...options, ...place, agent: http });
    // The option `signal` has the whole stream watched, a tenth of a call's CPU time.
    const abort = (): unknown => request.destroy(new Error('the request ran out of time'));
    signal.addEventListener('abort', abort, { once: true });
    request.on('close', () => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
    request.on('timeout', () => request.destroy(new Error(`no answer within ${silenceMs} ms`)));
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
