/** Requests and responses of the APIs for loads and migrations, in the format of API Gateway's proxy integration. */
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

/** Whether an event is a request of API Gateway: a REST API, or an HTTP API with payload version 2. */
export function isApiEvent(event: unknown): event is ApiEvent {
  if (typeof event !== 'object' || event === null || !('requestContext' in event)) return false;
  return 'httpMethod' in event || 'rawPath' in event || 'body' in event;
}

export function jsonResponse(statusCode: number, body: unknown): ApiResponse {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return { statusCode, headers, body: JSON.stringify(body), isBase64Encoded: false };
}

/** Status codes by the name of the error. */
const STATUSES: Readonly<Record<string, number>> = {
  InvalidEventError: 400,
  DataConversionError: 400,
  RequestTooLargeError: 413,
  InfluxDBConnectionError: 503,
  S3UnavailableError: 503,
};

const INTERNAL = 'an internal error has occurred: see the log of the function';
/** Messages for clients in place of messages that would reveal buckets and settings of the stack. */
const WITHHELD: Readonly<Record<string, string>> = {
  UnexpectedError: INTERNAL,
  ConfigurationError: INTERNAL,
  S3UnavailableError: 'S3 is not available: send the request again later',
};

export const statusOfError = (error: Error): number => STATUSES[error.name] ?? 500;

/** The response to a failed request. The message of an internal error is logged, not returned. */
export function failureResponse(thrown: unknown, logger: Logger, status?: number): ApiResponse {
  const error = toKnownError(thrown);
  const withheld = WITHHELD[error.name];
  logger[withheld === undefined ? 'warn' : 'error']('a request failed', { error });
  const message = withheld ?? error.message;
  return jsonResponse(status ?? statusOfError(error), { error: error.name, message });
}

/** Parses the JSON body of a request. @throws InvalidEventError if the body is missing or not JSON */
export function jsonBody({ body, isBase64Encoded }: ApiEvent): unknown {
  if (typeof body !== 'string' || body.trim() === '')
    throw new InvalidEventError('the request has no body: send a JSON object');
  const text = isBase64Encoded === true ? Buffer.from(body, 'base64').toString('utf8') : body;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidEventError(`the body is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}

/** A handler for a function that serves only requests: every error becomes a response. */
export function apiHandler(
  logger: Logger,
  work: (event: ApiEvent) => Promise<ApiResponse>,
): (event: unknown) => Promise<ApiResponse> {
  return async (event) => {
    try {
      if (!isApiEvent(event)) throw new InvalidEventError('the event must be an API Gateway request');
      return await work(event);
    } catch (error) {
      return failureResponse(error, logger);
    }
  };
}
