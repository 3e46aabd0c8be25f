/** The responses of the write endpoint, in the status codes, headers and JSON that InfluxDB's clients rely on. */
import type { LineReport } from 'shared/timestream/line-report';
import type { RecordsOutcome } from 'shared/timestream/record-ledger';
import { permanentCause } from './unstored-cause';

/** The release of InfluxDB that the API is compatible with. */
export const INFLUXDB_VERSION = '2.7.12';

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: false;
}

/** An error response; `code` is InfluxDB's name for the error. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

const VERSION_HEADERS = { 'X-Influxdb-Build': 'Timestream', 'X-Influxdb-Version': INFLUXDB_VERSION };

export const noContent = (): HttpResponse => ({
  statusCode: 204,
  headers: VERSION_HEADERS,
  body: '',
  isBase64Encoded: false,
});

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
const RETRY_AFTER = { 'Retry-After': '2' };

/**
 * Some valid points are not stored. The text must not contain a phrase that client libraries treat as success
 * (influxdb-client-go: "partial write", "unable to parse", "points beyond retention policy", "hinted handoff queue not empty").
 */
export function notStored({ unstored, throttled, missingTables, failureCode }: RecordsOutcome): ApiError {
  const message = `${unstored} points could not be stored${whyUnstored(missingTables, failureCode)}`;
  return throttled
    ? new ApiError(429, 'too many requests', `Timestream throttles writes: ${message}`, RETRY_AFTER)
    : new ApiError(503, 'unavailable', message, RETRY_AFTER);
}

function whyUnstored(missingTables: number, failureCode: string | undefined): string {
  const permanent = permanentCause(failureCode);
  if (permanent !== undefined) return `: ${permanent}. Fix this, then send the request again`;
  const tables = missingTables > 0 ? `, because ${missingTables} tables must be created first (one per second)` : '';
  const code = failureCode === undefined ? '' : ` (${failureCode})`;
  return ` in time${tables}${code}: send the request again, or send fewer lines per request`;
}

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
export function badLines(report: LineReport, stored: number, address?: string): ApiError {
  const dropped = report.faultyLines + report.rejectedLines;
  const reasons = report.reasons();
  const listed = reasons.map(({ reason }) => reason);
  if (dropped > reasons.length) listed.push(`and ${dropped - reasons.length} more lines`);
  if (address !== undefined) listed.push(`the rejected lines are in ${address}`);
  const text = `${listed.join('\n')} dropped=${dropped}`;
  if (report.faultyLines === 0) {
    return new ApiError(422, 'unprocessable entity', `failure writing points to database: partial write: ${text}`);
  }
  return new ApiError(400, 'invalid', stored > 0 ? `partial write: ${text}` : text);
}
