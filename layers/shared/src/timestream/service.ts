/** The Timestream API as the connector uses it: its calls, and the meaning of a response for the records of the call. */
import type { CreateDatabaseRequest, CreateTableRequest } from '@aws-sdk/client-timestream-write';

/** An HTTP response of the Write API. */
export interface ServiceResponse {
  readonly status: number;
  /** JSON; the body of a failure names the error type. */
  readonly body: Buffer;
}

/**
 * Sends the body of a WriteRecords call, once.
 * @throws if there is no response: the connection failed, or the signal aborted
 */
export type SendWriteRecords = (body: Uint8Array, signal: AbortSignal) => Promise<ServiceResponse>;

/** The control plane calls. Each throws an Error with the service's error type as `name`. */
export interface TableAdministration {
  databaseExists(name: string, signal: AbortSignal): Promise<boolean>;
  createDatabase(request: CreateDatabaseRequest, signal: AbortSignal): Promise<unknown>;
  createTable(request: CreateTableRequest, signal: AbortSignal): Promise<unknown>;
}

/** A record that the service did not store. */
export interface RejectedRecord {
  /** Index into the records of the call. */
  readonly index: number;
  readonly reason: string;
  /** The version of the stored record that conflicts with it. */
  readonly existingVersion: number | undefined;
}

/** Result of a WriteRecords call. */
export type CallResult =
  | { readonly kind: 'stored' }
  /** The listed records were not stored; all others were stored. */
  | { readonly kind: 'rejected'; readonly records: readonly RejectedRecord[] }
  /** The database or table does not exist, or is not active yet. Nothing was stored. */
  | { readonly kind: 'missing-table' }
  /** At least one record is not valid. Nothing was stored. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** A retry may succeed. Some records may have been stored. */
  | {
      readonly kind: 'transient';
      readonly throttled: boolean;
      readonly connectionLost: boolean;
      readonly code: string | undefined;
      readonly reason: string;
    }
  /** A retry cannot succeed until an operator fixes permissions, credentials or quotas. */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

/**
 * Reads the response to a WriteRecords call with `records` records.
 * Source: the errors of WriteRecords in the Timestream for LiveAnalytics API reference; RejectedRecordsException has status 419.
 */
export function readResponse({ status, body }: ServiceResponse, records: number): CallResult {
  if (status === 200) return { kind: 'stored' };
  const failure = parseFailure(body);
  const reason = failure.message === '' ? `${failure.type} (HTTP ${status})` : failure.message;
  const code = failure.type === UNKNOWN ? `HTTP ${status}` : failure.type;
  const transient = { kind: 'transient', connectionLost: false, code, reason } as const;
  switch (failure.type) {
    case 'RejectedRecordsException': {
      const rejected = rejectedRecords(failure.rejected, records);
      if (rejected !== undefined) return { kind: 'rejected', records: rejected };
      // It is unknown which records were stored, so none counts as stored.
      return {
        ...transient,
        throttled: false,
        reason: `the rejections do not match the records of the call: ${reason}`,
      };
    }
    case 'ResourceNotFoundException':
      return { kind: 'missing-table' };
    case 'ValidationException':
      return { kind: 'invalid', reason };
    case 'ThrottlingException':
      return { ...transient, throttled: true };
    default:
      if (status === 429) return { ...transient, throttled: true };
      if (status >= 500 || failure.type === 'InternalServerException') return { ...transient, throttled: false };
      return { kind: 'refused', code, reason: `${failure.type}: ${reason}` };
  }
}

/** The result of a WriteRecords call that failed with this error, without a response. */
export function withoutResponse(error: unknown): CallResult {
  const code = codeOf(error);
  // For a host with several addresses the error is an AggregateError, which has a code and no message.
  const cause = error instanceof Error ? error.message || code : undefined;
  const reason = cause === undefined ? 'no response from Timestream' : `no response from Timestream: ${cause}`;
  return { kind: 'transient', throttled: false, connectionLost: true, code, reason };
}

/** The code of a Node.js error, or else the error type of the SDK; undefined if it has neither. */
export function codeOf(error: unknown): string | undefined {
  const { code, name } = error as Partial<NodeJS.ErrnoException>;
  const found = typeof code === 'string' ? code : name;
  return found !== undefined && found !== 'Error' && /^\w{1,100}$/.test(found) ? found : undefined;
}

/** The error type of a response, without its namespace; undefined if the response has none. */
export function errorType({ body }: ServiceResponse): string | undefined {
  const { type } = parseFailure(body);
  return type === UNKNOWN ? undefined : type;
}

/** The error of a response without success, with the service's error type as `name`, as the SDK throws it. */
export function failureOf(response: ServiceResponse): Error {
  const { type, message } = parseFailure(response.body);
  const error = new Error(message === '' ? `HTTP ${response.status}` : message);
  error.name = type === UNKNOWN ? 'UnknownError' : type;
  return error;
}

interface Failure {
  readonly type: string;
  readonly message: string;
  readonly rejected: unknown;
}

const UNKNOWN = 'unknown error';

function parseFailure(body: Buffer): Failure {
  const failure: Record<string, unknown> = parseObject(body);
  const named = typeof failure.__type === 'string' ? failure.__type.replace(/^.*#/, '') : '';
  const type = /^[A-Za-z0-9]{1,100}$/.test(named) ? named : UNKNOWN;
  const message = [failure.Message, failure.message].find((text) => typeof text === 'string') ?? '';
  return { type, message: String(message), rejected: failure.RejectedRecords };
}

function parseObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** The rejected records; undefined if the list is empty or an entry does not match a record of the call. */
function rejectedRecords(list: unknown, records: number): RejectedRecord[] | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const rejected: RejectedRecord[] = [];
  for (const entry of list as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { RecordIndex: index = 0, Reason, ExistingVersion } = entry as Record<string, unknown>;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= records) return undefined;
    rejected.push({
      index,
      reason: typeof Reason === 'string' ? Reason : 'rejected without a reason',
      existingVersion: typeof ExistingVersion === 'number' ? ExistingVersion : undefined,
    });
  }
  return rejected;
}
