/**
 * All error types of the project. `name` is a string literal: the Lambda runtime reports it as the error type, the state machine's
 * `ErrorEquals` matches it, and a minifier may rename classes.
 */
import type { InvalidRows } from './points/report';

/** The configuration is invalid; the message lists every problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly string[]) {
    super(`invalid configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Maximum characters of a message. Messages quote invalid input, which may be as large as an event. */
const MAX_QUOTING = 2_000;

/** An event or request is invalid. The message says what was expected and is safe to show to a client. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';

  constructor(message: string, options?: ErrorOptions) {
    super(message.length > MAX_QUOTING ? `${message.slice(0, MAX_QUOTING)}...` : message, options);
  }
}

/** A request exceeds a limit; the client may send it in parts. The message names the limit. */
export class RequestTooLargeError extends Error {
  override readonly name = 'RequestTooLargeError';
}

/** Points could not be stored before the deadline or with all retries. Sending the same event again is safe. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}

/** Source data cannot become points: unreadable Parquet, a missing column, or invalid rows while dropping is not allowed. */
export class DataConversionError extends Error {
  override readonly name = 'DataConversionError';
  /** Name of the object or file. */
  readonly object: string | undefined;
  /** The row group, from 0, if the error is in one. */
  readonly rowGroup: number | undefined;
  /** The invalid rows by reason, if they are the cause. */
  readonly invalid: readonly InvalidRows[] | undefined;

  constructor(message: string, options: DataConversionErrorOptions = {}) {
    super(message, options);
    this.object = options.object;
    this.rowGroup = options.rowGroup;
    this.invalid = options.invalid;
  }
}

interface DataConversionErrorOptions extends ErrorOptions {
  object?: string;
  rowGroup?: number | undefined;
  invalid?: readonly InvalidRows[];
}

/** InfluxDB is still unreachable or overloaded after all retries; a later attempt may succeed. */
export class InfluxDBConnectionError extends Error {
  override readonly name = 'InfluxDBConnectionError';
}

/** InfluxDB refused the write or the credentials; an unchanged retry cannot succeed. */
export class InfluxDBWriteError extends Error {
  override readonly name = 'InfluxDBWriteError';
}

/** S3 still does not respond, or requests a slower rate, after the SDK's own retries; a later attempt may succeed. */
export class S3UnavailableError extends Error {
  override readonly name = 'S3UnavailableError';
}

/** The secret with the accepted tokens cannot be read or is invalid, so no request can be authorized or refused. */
export class TokensUnavailableError extends Error {
  override readonly name = 'TokensUnavailableError';
}

/** Any other error; the original is its `cause`. */
export class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError';
}

const PERMANENT: readonly string[] = ['DataConversionError', 'InvalidEventError', 'ConfigurationError'];

/** Whether a retry with the same input always fails with this error, until somebody changes data, input or settings. */
export const isPermanent = (errorName: string): boolean => PERMANENT.includes(errorName);
