/** Requests and answers of API Gateway's proxy integration, as the loader's API has them. */
import { InvalidEventError } from 'shared/errors';
import type { Logger } from 'shared/logger';
import { toKnownError } from './step';

export interface ApiEvent {
  readonly httpMethod?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly pathParameters?: Readonly<Record<string, unknown>> | null;
  readonly requestContext?: object;
}

export interface ApiResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: false;
}

/** Whether an event is a request through API Gateway: REST, or HTTP version 2. */
export function isApiEvent(event: unknown): event is ApiEvent {
  if (typeof event !== 'object' || event === null || !('requestContext' in event)) return false;
  return 'httpMethod' in event || 'rawPath' in event || 'body' in event;
}

export function jsonResponse(statusCode: number, body: unknown): ApiResponse {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return { statusCode, headers, body: JSON.stringify(body), isBase64Encoded: false };
}

/** What an error is answered with. */
const STATUSES: Readonly<Record<string, number>> = {
  InvalidEventError: 400,
  DataConversionError: 400,
  RequestTooLargeError: 413,
  InfluxDBConnectionError: 503,
  S3UnavailableError: 503,
};

const INTERNAL = 'an internal error has occurred: see the log of the function';
/** What a client reads instead of messages that tell of the stack's own buckets and settings. */
const WITHHELD: Readonly<Record<string, string>> = {
  UnexpectedError: INTERNAL,
  ConfigurationError: INTERNAL,
  S3UnavailableError: 'S3 is not available at the moment: send the request again later',
};

export const statusOfError = (error: Error): number => STATUSES[error.name] ?? 500;

/** The answer to a request that failed; one that nobody foresaw is logged, and answered without its text. */
export function failureResponse(thrown: unknown, logger: Logger, status?: number): ApiResponse {
  const error = toKnownError(thrown);
  const withheld = WITHHELD[error.name];
  logger[withheld === undefined ? 'warn' : 'error']('a request failed', { error });
  const message = withheld ?? error.message;
  return jsonResponse(status ?? statusOfError(error), { error: error.name, message });
}

/** The JSON in a request's body. @throws InvalidEventError where there is none */
export function jsonBody({ body, isBase64Encoded }: ApiEvent): unknown {
  if (typeof body !== 'string' || body.trim() === '') throw new InvalidEventError('the request has no body: send JSON');
  const text = isBase64Encoded === true ? Buffer.from(body, 'base64').toString('utf8') : body;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidEventError(`the body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** The work of a function that serves requests and nothing else: every failure becomes an answer. */
export function apiHandler(
  logger: Logger,
  work: (event: ApiEvent) => Promise<ApiResponse>,
): (event: unknown) => Promise<ApiResponse> {
  return async (event) => {
    try {
      if (!isApiEvent(event)) throw new InvalidEventError('the event must be a request through API Gateway');
      return await work(event);
    } catch (error) {
      return failureResponse(error, logger);
    }
  };
}
