/**
 * All error types of the project. `name` is a string literal: the Lambda runtime reports it as the error type, the state machine's
 * `ErrorEquals` matches it, and a minifier may rename classes.
 */

import { oneLine } from './one-line';

/** Invalid configuration. The message lists every problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly string[]) {
    super(`invalid configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Maximum length of a message, which may quote a whole event. */
const MAX_QUOTING = 2_000;

/** An invalid event or request. The message says what was expected and is safe to show to a client. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';

  constructor(message: string, options?: ErrorOptions) {
    super(message.length > MAX_QUOTING ? `${message.slice(0, MAX_QUOTING)}...` : message, options);
  }
}

/** A request that exceeds a limit and may be sent in parts. The message names the limit. */
export class RequestTooLargeError extends Error {
  override readonly name = 'RequestTooLargeError';
}

/** Points could not be stored before the deadline or after all retries. Sending the same event again is safe. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}

/** Source data that cannot be converted to points: unreadable Parquet, a missing column, or invalid rows that may not be dropped. The message is one line. */
export class DataConversionError extends Error {
  override readonly name = 'DataConversionError';
  /** The name of the object or file. */
  readonly object: string | undefined;
  /** The row group, from 0, if the error is in one row group. */
  readonly rowGroup: number | undefined;
  /** The invalid rows by reason, if they caused the error. */
  readonly invalid: readonly InvalidCount[] | undefined;

  constructor(message: string, options: DataConversionErrorOptions = {}) {
    super(oneLine(message), options);
    this.object = options.object;
    this.rowGroup = options.rowGroup;
    this.invalid = options.invalid;
  }
}

/** Invalid rows of one column with one reason. */
interface InvalidCount {
  readonly reason: string;
  readonly column: string;
  readonly count: number;
}

interface DataConversionErrorOptions extends ErrorOptions {
  object?: string;
  rowGroup?: number | undefined;
  invalid?: readonly InvalidCount[];
}

/** InfluxDB is unreachable or overloaded after all retries. A later attempt may succeed. */
export class InfluxDBConnectionError extends Error {
  override readonly name = 'InfluxDBConnectionError';
}

/** InfluxDB rejected the write or the credentials. The same request fails again. */
export class InfluxDBWriteError extends Error {
  override readonly name = 'InfluxDBWriteError';
}

/** S3 does not respond or throttles, after the retries of the SDK. A later attempt may succeed. */
export class S3UnavailableError extends Error {
  override readonly name = 'S3UnavailableError';
}

/** Timestream cannot be reached, throttles, or had an internal error, after all retries. A later attempt may succeed. */
export class TimestreamUnavailableError extends Error {
  override readonly name = 'TimestreamUnavailableError';
}

/** The bytes of an HTTP response are not valid, or exceed a limit, so its connection cannot be used any more. */
export class HttpResponseError extends Error {
  override readonly name = 'HttpResponseError';

  /** @param problem about the response, such as 'its head is too long' */
  constructor(problem: string) {
    super(`the HTTP response is not valid: ${problem}`);
  }
}

/** Timestream refused a query: the same query fails again, until permissions, quotas or the query change. */
export class TimestreamQueryError extends Error {
  override readonly name = 'TimestreamQueryError';
}

/** The secret with the accepted tokens cannot be read or is not valid, so no request can be authorized or denied. */
export class TokensUnavailableError extends Error {
  override readonly name = 'TokensUnavailableError';
}

/** Any error without a type of its own. `cause` is the original error. */
export class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError';
}

const PERMANENT: readonly string[] = ['DataConversionError', 'InvalidEventError', 'ConfigurationError'];

/** Whether the same input fails again with an error of this name, until the data, the input or the settings change. */
export const isPermanent = (errorName: string): boolean => PERMANENT.includes(errorName);
