/** The answers of the write endpoint, in the status codes, headers and JSON that InfluxDB's clients rely on. */
import type { LineReport } from 'shared/timestream/line-report';
import type { RecordsOutcome } from 'shared/timestream/record-ledger';
import { permanentCause } from './unstored-cause';

/** The release of InfluxDB whose API this is. */
export const INFLUXDB_VERSION = '2.7.12';

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: false;
}

/** A request that is answered with an error; `code` is InfluxDB's name of it. */
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

/** A request beyond a bound: clients that know 413, such as Telegraf, split their batch. */
export const tooLarge = (why: string): ApiError =>
  new ApiError(413, 'request too large', `unable to read data: points batch is too large: ${why}`);

/** What clients do with it: wait so many seconds, then send the same request again. */
const RETRY_AFTER = { 'Retry-After': '2' };

/**
 * Some good points are not stored. The text has none of the phrases by which client libraries take a failure for success
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
  if (permanent !== undefined) return `: ${permanent}. They are stored when the request is sent again after that`;
  const tables = missingTables > 0 ? `, as ${missingTables} tables are still to be created (one a second)` : '';
  const code = failureCode === undefined ? '' : ` (${failureCode})`;
  return ` in time${tables}${code}: send the request again, or fewer lines at once`;
}

/** Asynchronous mode could not pass the write on; nothing is stored. */
export function notHandedOver(throttled: boolean): ApiError {
  const message = 'the write could not be accepted: send the request again';
  return throttled
    ? new ApiError(429, 'too many requests', message, RETRY_AFTER)
    : new ApiError(503, 'unavailable', message, RETRY_AFTER);
}

/**
 * Lines that cannot be stored, ever; all other points are stored.
 * @param address of the object that holds every one of them, where there is one
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
