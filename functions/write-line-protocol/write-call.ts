/**
 * Sends WriteRecords calls over kept-alive connections: signed here, past the SDK's middleware, with its credentials.
 * docs/adr/write-calls-past-the-sdk.md has the figures.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { untilAborted } from 'shared/resilience/backoff';
import type { SendWriteRecords, ServiceAnswer } from 'shared/timestream/service';
import { type Credentials, Signer } from './signature';

/** Silence on a connection after which a call is given up; the request's deadline bounds all of its tries together. */
const SILENCE_MS = 3_000;
/** Without a time limit of the agent's, which would end idle connections too: clients write every 10 s or so. */
const CONNECTIONS = { keepAlive: true };
/** HTTP status of InvalidEndpointException, which asks for another endpoint discovery. */
const INVALID_ENDPOINT = 421;

/** Where calls go: an endpoint that is given, or one that Timestream assigns. */
export interface Target {
  url(): Promise<URL>;
  invalidate(url: URL): void;
}

/** @param credentials is asked at each call, so that they refresh */
export function callSender(target: Target, region: string, credentials: () => Promise<Credentials>): SendWriteRecords {
  const signer = new Signer(region, 'timestream');
  const agents = { http: new HttpAgent(CONNECTIONS), https: new HttpsAgent(CONNECTIONS) };
  const send = (url: URL, keys: Credentials, body: Uint8Array, signal: AbortSignal): Promise<ServiceAnswer> => {
    const headers = {
      host: url.host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'Timestream_20181101.WriteRecords',
    };
    return post(url, signer.sign(headers, body, keys, new Date()), body, agents, signal);
  };
  // Requests share a discovery, so the deadline of one ends its own wait for it and not the discovery.
  const whereAndWho = (signal: AbortSignal): Promise<[URL, Credentials]> =>
    untilAborted(Promise.all([target.url(), credentials()]), signal);
  return async (body, signal) => {
    const [url, keys] = await whereAndWho(signal);
    const answer = await send(url, keys, body, signal);
    if (answer.status !== INVALID_ENDPOINT) return answer;
    target.invalidate(url);
    return send(...(await whereAndWho(signal)), body, signal);
  };
}

function post(
  url: URL,
  headers: Record<string, string>,
  body: Uint8Array,
  agents: { readonly http: HttpAgent; readonly https: HttpsAgent },
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: 'POST',
      path: '/',
      // As a list they go out as they are; an object is checked and copied header by header, a tenth of a call's CPU time.
      headers: Object.entries(headers).flat().concat('content-length', String(body.length), 'connection', 'keep-alive'),
      timeout: SILENCE_MS,
    };
    const place = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port };
    const request =
      url.protocol === 'https:'
        ? httpsRequest({ ...options, ...place, agent: agents.https })
        : httpRequest({ ...options, ...place, agent: agents.http });
    // The option `signal` has the whole stream watched, a tenth of a call's CPU time.
    const abort = (): unknown => request.destroy(new Error('the request ran out of time'));
    signal.addEventListener('abort', abort, { once: true });
    request.on('close', () => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
    request.on('timeout', () => request.destroy(new Error(`no answer within ${SILENCE_MS} ms`)));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    request.end(body);
  });
}
