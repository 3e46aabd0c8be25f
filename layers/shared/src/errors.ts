/**
 * Every error type of the project. `name` is a string literal, because the Lambda runtime reports it as the error type and
 * the state machine's `ErrorEquals` matches it, and a minifier renames classes.
 */

/** Configuration that cannot be used: the message lists every problem. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly string[]) {
    super(`invalid configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Messages quote what they refuse, which may be as large as an event: so many characters of them. */
const MAX_QUOTING = 2_000;

/** An event or request that cannot be understood; the message says what was expected and is safe to show to a client. */
export class InvalidEventError extends Error {
  override readonly name = 'InvalidEventError';

  constructor(message: string, options?: ErrorOptions) {
    super(message.length > MAX_QUOTING ? `${message.slice(0, MAX_QUOTING)}...` : message, options);
  }
}

/** A request that is beyond a bound, and may be sent in parts; the message says which bound. */
export class RequestTooLargeError extends Error {
  override readonly name = 'RequestTooLargeError';
}

/** Points that could not be stored before the deadline or after all retries; resending the same event is safe. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}

/** Source data that cannot become points: unreadable Parquet, a missing column, invalid rows that may not be dropped. */
export class DataConversionError extends Error {
  override readonly name = 'DataConversionError';
  /** The object's or file's name. */
  readonly object: string | undefined;
  /** The row group, from 0, where the fault lies in one. */
  readonly rowGroup: number | undefined;
  /** The invalid rows by reason, where these are why. */
  readonly invalid: readonly InvalidCount[] | undefined;

  constructor(message: string, options: DataConversionErrorOptions = {}) {
    super(message, options);
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

/** InfluxDB cannot be reached, or is overloaded, after all retries; a later attempt may succeed. */
export class InfluxDBConnectionError extends Error {
  override readonly name = 'InfluxDBConnectionError';
}

/** InfluxDB answered and refused the write or the credentials; repeating it unchanged cannot succeed. */
export class InfluxDBWriteError extends Error {
  override readonly name = 'InfluxDBWriteError';
}

/** S3 does not answer, or asks to slow down, after the SDK's own tries; a later attempt may succeed. */
export class S3UnavailableError extends Error {
  override readonly name = 'S3UnavailableError';
}

/** The secret that says which tokens are accepted cannot be read or understood, so nobody can be let in or refused. */
export class TokensUnavailableError extends Error {
  override readonly name = 'TokensUnavailableError';
}

/** Anything without a type of its own; carries the original as `cause`. */
export class UnexpectedError extends Error {
  override readonly name = 'UnexpectedError';
}

const PERMANENT: readonly string[] = ['DataConversionError', 'InvalidEventError', 'ConfigurationError'];

/** Whether errors of this name come again however often the same input is tried: data, input or settings have to change first. */
export const isPermanent = (errorName: string): boolean => PERMANENT.includes(errorName);
