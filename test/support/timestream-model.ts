/**
 * An in-memory model of Timestream's WriteRecords: tables, versions and rejections as its API reference describes them. Rules over the
 * records define further refusals.
 */
import type { ServiceResponse } from 'shared/timestream/service';
import { expandCall, identityOf, type PlainCall, type PlainRecord } from './timestream-calls';

export interface StoredRecord {
  readonly record: PlainRecord;
  readonly version: number;
}

export interface ModelRules {
  /** The reason if a record makes the service refuse the whole call; otherwise undefined. */
  readonly invalid?: (record: PlainRecord) => string | undefined;
  /** The reason if the service rejects a record and stores the others; otherwise undefined. */
  readonly rejected?: (record: PlainRecord) => string | undefined;
}

interface WireRejection {
  readonly RecordIndex: number;
  readonly Reason: string;
  readonly ExistingVersion?: number;
}

export const answer = (status: number, type: string, body: Record<string, unknown> = {}): ServiceResponse => ({
  status,
  body: Buffer.from(JSON.stringify({ __type: `com.amazonaws.timestream.v20181101#${type}`, ...body })),
});

export class TimestreamModel {
  readonly tables = new Set<string>();
  readonly stored = new Map<string, StoredRecord>();

  constructor(readonly rules: ModelRules = {}) {}

  /** Executes a call. @throws Error if the form of the call is invalid */
  write(body: Uint8Array): ServiceResponse {
    return this.carryOut(expandCall(body));
  }

  carryOut({ table, records, versions }: PlainCall): ServiceResponse {
    if (!this.tables.has(table)) return answer(404, 'ResourceNotFoundException', { Message: `no table ${table}` });
    const invalid = records.map((record) => this.rules.invalid?.(record)).find((reason) => reason !== undefined);
    if (invalid !== undefined) return answer(400, 'ValidationException', { Message: invalid });
    const rejections = records.flatMap((record, index) => this.store(record, versions[index] ?? 1, index));
    if (rejections.length === 0) return { status: 200, body: Buffer.from('{"RecordsIngested":{}}') };
    return answer(419, 'RejectedRecordsException', { RejectedRecords: rejections });
  }

  private store(record: PlainRecord, version: number, RecordIndex: number): WireRejection[] {
    const refused = this.rules.rejected?.(record);
    if (refused !== undefined) return [{ RecordIndex, Reason: refused }];
    const identity = identityOf(record);
    const existing = this.stored.get(identity);
    const changes = JSON.stringify(existing?.record.measures) !== JSON.stringify(record.measures);
    if (existing !== undefined && existing.version >= version && changes) {
      return [{ RecordIndex, Reason: 'a record of this version exists', ExistingVersion: existing.version }];
    }
    if (existing === undefined || existing.version < version) this.stored.set(identity, { record, version });
    return [];
  }
}
