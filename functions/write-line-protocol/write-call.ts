/**
 * Sends calls over keep-alive connections. It signs them with the SDK's credentials, but bypasses the SDK's
 * middleware; docs/adr/write-calls-past-the-sdk.md has the figures.
 */
import { untilAborted } from 'shared/resilience/backoff';
import { errorType, type SendWriteRecords, type ServiceResponse } from 'shared/timestream/service';
import { HttpClient } from './http-client';
import type { HttpResponse } from './http-response';
import { type Credentials, Signer } from './signature';

/** A call is aborted after this time without data on its connection. The request's deadline bounds all tries together. */
const SILENCE_MS = 3_000;
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

interface Shared {
  /** Of this clock, since 1970. */
  readonly second: number;
  readonly endpoint: Endpoint;
  readonly keys: Credentials;
  readonly headers: Readonly<Record<string, string>>;
}

/** The SDK's provider: caches credentials until they expire; `forceRefresh` requests new ones. */
export type CredentialProvider = (options?: { forceRefresh?: boolean }) => Promise<Credentials>;

/** How far the service's clock is ahead of this one, ms. The SDK keeps it in a client's configuration under this name. */
export interface ClockOffset {
  systemClockOffset: number;
}

export interface SenderOptions {
  /** The operation of the Write API. */
  readonly operation?: 'WriteRecords' | 'DescribeEndpoints';
  /** CAs that replace those of Node.js. */
  readonly ca?: string;
  readonly silenceMs?: number;
}

/**
 * Sends each call once. If the response shows that the endpoint, the time or the credentials are outdated, it corrects them and
 * sends the call once more.
 * @param credentials called once in a second with calls, so that expired credentials are replaced
 */
export function callSender(
  target: Target,
  region: string,
  credentials: CredentialProvider,
  clock: ClockOffset = { systemClockOffset: 0 },
  { operation = 'WriteRecords', ca, silenceMs = SILENCE_MS }: SenderOptions = {},
): SendWriteRecords {
  const signer = new Signer(region, 'timestream');
  const client = new HttpClient({ ca, silenceMs });
  /** What the calls of one second share. To resolve endpoint and credentials for each call takes as long as to sign it. */
  let shared: Shared | undefined;
  const resolve = async (second: number, signal: AbortSignal): Promise<Shared> => {
    // The SDK's providers accept no signal; their own timeouts end them.
    const [endpoint, keys] = await Promise.all([target.resolve(signal), untilAborted(credentials(), signal)]);
    const headers = {
      host: endpoint.url.host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `Timestream_20181101.${operation}`,
    };
    shared = { second, endpoint, keys, headers };
    return shared;
  };
  const send = async (body: Uint8Array, signal: AbortSignal, maySendAgain: boolean): Promise<ServiceResponse> => {
    const second = Math.floor(Date.now() / 1000);
    // While a call was corrected, another one may have shared again what was wrong, so its repetition shares nothing.
    const known = maySendAgain && shared?.second === second ? shared : undefined;
    const { endpoint, keys, headers } = known ?? (await resolve(second, signal));
    const now = Date.now() + clock.systemClockOffset;
    const signed = signer.sign(headers, body, keys, new Date(now));
    const response = await client.post(endpoint.url, signed, body, signal);
    if (response.status === 200 || !maySendAgain) return response;
    shared = undefined;
    return (await correct(response, endpoint, now, signal)) ? send(body, signal, false) : response;
  };
  /** Corrects what the response reports as wrong: the endpoint, the credentials, or the time `now` of the signature. */
  const correct = async (
    response: HttpResponse,
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
