/** The responses of the write endpoint, in the status codes, headers and JSON that InfluxDB's clients rely on. */
import { number } from 'shared/count-text';
import type { DestinationName } from 'shared/destination-config';
import { linesIn } from 'shared/line-report';
import { ApiError } from './api-error';
import type { DestinationResult, RequestResult } from './destination';

/** The release of InfluxDB that the API is compatible with. */
export const INFLUXDB_VERSION = '2.7.12';

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: false;
}

const VERSION_HEADERS = { 'X-Influxdb-Build': 'Timestream', 'X-Influxdb-Version': INFLUXDB_VERSION };

/** @param influxdbOnlyLines number of lines that are stored in InfluxDB only, shown in a header */
export const noContent = (influxdbOnlyLines = 0): HttpResponse => ({
  statusCode: 204,
  headers: { ...VERSION_HEADERS, ...onlyLines(influxdbOnlyLines) },
  body: '',
  isBase64Encoded: false,
});

const onlyLines = (influxdbOnlyLines: number): Readonly<Record<string, string>> =>
  influxdbOnlyLines === 0 ? {} : { 'X-Influxdb-Only-Lines': String(influxdbOnlyLines) };

export const json = (
  statusCode: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse => ({
  statusCode,
  headers: { 'Content-Type': 'application/json; charset=utf-8', ...VERSION_HEADERS, ...headers },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});

export const failure = ({ status, code, message, headers }: ApiError): HttpResponse =>
  json(status, { code, message }, { 'X-Platform-Error-Code': code, ...headers });

/** For a request above a limit. Clients that handle 413, such as Telegraf, split their batch. */
export const tooLarge = (why: string): ApiError =>
  new ApiError(413, 'request too large', `unable to read data: points batch is too large: ${why}`);

/** Clients wait this many seconds, then send the same request again. */
const RETRY_AFTER_S = 2;
const RETRY_AFTER = { 'Retry-After': String(RETRY_AFTER_S) };

/**
 * Some valid points are not stored. The text must not contain a phrase that client libraries treat as success
 * (influxdb-client-go: "partial write", "unable to parse", "points beyond retention policy", "hinted handoff queue not empty").
 */
export function notStored(results: readonly DestinationResult[]): ApiError {
  const failed = results.filter(({ unstored }) => unstored > 0);
  const [{ refusal }] = failed;
  if (results.length === 1 && refusal !== undefined) return refusal;
  const throttled = failed.every((result) => result.throttled);
  const message = failed
    .map(({ destination, unstored, advice }) => {
      const where = results.length > 1 ? ` in ${destination}` : '';
      const throttles = throttled ? `${TITLES[destination]} throttles writes: ` : '';
      return `${throttles}${number(unstored, 'point')} could not be stored${where}${advice}`;
    })
    .join('; ');
  const retryAfter = Math.max(RETRY_AFTER_S, ...failed.map((result) => result.retryAfter ?? 0));
  const headers = { 'Retry-After': String(retryAfter) };
  return throttled
    ? new ApiError(429, 'too many requests', message, headers)
    : new ApiError(503, 'unavailable', message, headers);
}

/** The names of the destinations in sentences. */
export const TITLES: Readonly<Record<DestinationName, string>> = { timestream: 'Timestream', influxdb: 'InfluxDB' };

/** Asynchronous mode could not hand the write over; nothing is stored. */
export function notHandedOver(throttled: boolean): ApiError {
  const message = 'the write could not be accepted: send the request again';
  return throttled
    ? new ApiError(429, 'too many requests', message, RETRY_AFTER)
    : new ApiError(503, 'unavailable', message, RETRY_AFTER);
}

/**
 * Some lines can never be stored; all other points are stored.
 * @param address of the object that contains all these lines, if there is one
 */
export function badLines(result: RequestResult, address?: string): ApiError {
  const { faultyLines, rejectedLines, influxdbOnlyLines, reasons, results } = result;
  const dropped = faultyLines + rejectedLines;
  const listed = reasons.map(({ reason }) => reason);
  const others = dropped - linesIn(reasons);
  if (others > 0) listed.push(`and ${number(others, 'more line')}`);
  if (address !== undefined) listed.push(`the rejected lines are in ${address}`);
  const text = `${listed.join('\n')} dropped=${dropped}`;
  const headers = onlyLines(influxdbOnlyLines);
  if (faultyLines === 0) {
    const message = `failure writing points to database: partial write: ${text}`;
    return new ApiError(422, 'unprocessable entity', message, headers);
  }
  const someStored = results.some(({ stored }) => stored > 0);
  return new ApiError(400, 'invalid', someStored ? `partial write: ${text}` : text, headers);
}
