/** What the connector asks of Timestream: the calls it makes, and what an answer means for the records sent. */
import type { CreateDatabaseRequest, CreateTableRequest } from '@aws-sdk/client-timestream-write';

/** An HTTP answer of the Write API. */
export interface ServiceAnswer {
  readonly status: number;
  /** JSON; of a failure it names the error's type. */
  readonly body: Buffer;
}

/**
 * Sends the body of a WriteRecords call, once.
 * @throws where no answer came: a connection that failed, an aborted signal
 */
export type SendWriteRecords = (body: Uint8Array, signal: AbortSignal) => Promise<ServiceAnswer>;

/** The control plane calls; each throws an Error whose `name` is the service's error type. */
export interface TableAdministration {
  databaseExists(name: string, signal: AbortSignal): Promise<boolean>;
  createDatabase(request: CreateDatabaseRequest, signal: AbortSignal): Promise<unknown>;
  createTable(request: CreateTableRequest, signal: AbortSignal): Promise<unknown>;
}

/** A record that the service did not store; index into the records of the call. */
export interface RejectedRecord {
  readonly index: number;
  readonly reason: string;
  /** The version of the record that is stored in its place. */
  readonly existingVersion: number | undefined;
}

/** What a WriteRecords call came to. */
export type WriteResult =
  | { readonly kind: 'stored' }
  /** The records listed were not stored, the others were. */
  | { readonly kind: 'rejected'; readonly records: readonly RejectedRecord[] }
  /** The database or table does not exist, or is not active yet. Nothing was stored. */
  | { readonly kind: 'missing-table' }
  /** At least one record is not valid. Nothing was stored. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** Worth another try. Something may have been stored. */
  | {
      readonly kind: 'transient';
      readonly throttled: boolean;
      readonly connectionLost: boolean;
      readonly reason: string;
    }
  /** Not worth another try before an operator did something: permissions, quotas. */
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Reads an answer to a WriteRecords call of `records` records.
 * Source: the errors of WriteRecords in the Timestream for LiveAnalytics API reference; RejectedRecordsException has status 419.
 */
export function readAnswer({ status, body }: ServiceAnswer, records: number): WriteResult {
  if (status === 200) return { kind: 'stored' };
  const failure = parseFailure(body);
  const reason = failure.message === '' ? `${failure.type} (HTTP ${status})` : failure.message;
  switch (failure.type) {
    case 'RejectedRecordsException': {
      const rejected = rejectedRecords(failure.rejected, records);
      return rejected.length > 0 ? { kind: 'rejected', records: rejected } : { kind: 'refused', reason };
    }
    case 'ResourceNotFoundException':
      return { kind: 'missing-table' };
    case 'ValidationException':
      return { kind: 'invalid', reason };
    case 'ThrottlingException':
      return { kind: 'transient', throttled: true, connectionLost: false, reason };
    default:
      if (status === 429) return { kind: 'transient', throttled: true, connectionLost: false, reason };
      if (status >= 500 || failure.type === 'InternalServerException')
        return { kind: 'transient', throttled: false, connectionLost: false, reason };
      return { kind: 'refused', reason: `${failure.type}: ${reason}` };
  }
}

interface Failure {
  readonly type: string;
  readonly message: string;
  readonly rejected: unknown;
}

function parseFailure(body: Buffer): Failure {
  const failure: Record<string, unknown> = parseObject(body);
  const type = typeof failure.__type === 'string' ? failure.__type.replace(/^.*#/, '') : 'unknown error';
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

function rejectedRecords(list: unknown, records: number): RejectedRecord[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: Record<string, unknown> | null) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const index = entry.RecordIndex ?? 0;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= records) return [];
    return [
      {
        index,
        reason: typeof entry.Reason === 'string' ? entry.Reason : 'rejected without a reason',
        existingVersion: typeof entry.ExistingVersion === 'number' ? entry.ExistingVersion : undefined,
      },
    ];
  });
}
