/** Decides for each record of the calls to one table whether it is stored, and stores the accepted records. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Columns } from './columns';
import { exceededLimit } from './limits';
import type { WriteRecord } from './record';
import { appendRecords, type NewRow } from './record-rows';
import { type Arrival, arrivalOf } from './retention';
import type { Store } from './store';
import { recordsOf, type Table } from './table';
import { identityOf, type StoredVersion, VersionIndex, valuesOf } from './version-index';

export interface Rejection {
  readonly RecordIndex: number;
  readonly Reason: string;
  readonly ExistingVersion?: bigint;
}

/** What became of the records of one call. */
export interface WriteOutcome {
  readonly ingested: { readonly Total: number; readonly MemoryStore: number; readonly MagneticStore: number };
  readonly rejected: readonly Rejection[];
}

const SAME_VERSION =
  'A record already exists with the same time, dimensions, measure name, and record version. ' +
  'A higher record version must be specified in order to update the measure value. ' +
  'Specifying record version is supported by the latest SDKs.';

const lowerVersion = (version: bigint, existing: bigint) =>
  `The record version ${version} is lower than the existing version ${existing}. ` +
  'A higher version is required to update the measure value.';

/** The calls to one table that are committed together. Use it only inside the store's `exclusive`. */
export class TableWrite {
  private readonly columns: Columns;
  /** The records to store, by identity. */
  private readonly rows = new Map<string, NewRow>();

  private constructor(
    private readonly table: Table,
    private readonly index: VersionIndex,
  ) {
    this.columns = table.columns.fork();
  }

  static async open(store: Store, table: Table): Promise<TableWrite> {
    table.index ??= await VersionIndex.load(store, recordsOf(table));
    return new TableWrite(table, table.index);
  }

  /** Adds the records of a call. A record sees those of earlier calls. */
  add(records: readonly WriteRecord[], nowMs: number): WriteOutcome {
    const { table, columns, rows, index } = this;
    const rejected: Rejection[] = [];
    const ingested = { Total: 0, MemoryStore: 0, MagneticStore: 0 };
    records.forEach((record, RecordIndex) => {
      const arrival = arrivalOf(record.time, table.properties, nowMs);
      const reason = this.refusal(record, arrival);
      if (reason !== undefined) {
        rejected.push({ RecordIndex, Reason: reason });
        return;
      }
      const id = identityOf(record);
      const values = valuesOf(record);
      const existing: StoredVersion | undefined = rows.get(id) ?? index.get(id);
      if (existing && existing.version >= record.version && existing.values !== values) {
        const { version } = existing;
        const Reason = version === record.version ? SAME_VERSION : lowerVersion(record.version, version);
        rejected.push({ RecordIndex, Reason, ExistingVersion: version });
        return;
      }
      if (!existing || existing.version < record.version) {
        columns.add(record);
        const { version } = record;
        rows.set(id, { record, id, values, version, row: index.takeRow(), replaces: index.get(id)?.row });
      }
      ingested.Total += 1;
      ingested[arrival.store] += 1;
    });
    return { ingested, rejected };
  }

  /** The reason why the table refuses a record, whether or not a version of it is stored; or undefined. */
  private refusal(record: WriteRecord, arrival: Arrival): string | undefined {
    const required = this.table.properties.Schema.CompositePartitionKey.find(
      ({ EnforcementInRecord }) => EnforcementInRecord === 'REQUIRED',
    )?.Name;
    if (required !== undefined && !record.dimensions.some(({ name }) => name === required)) {
      return `The record is missing the required partition key dimension '${required}'.`;
    }
    return exceededLimit(record) ?? arrival.rejection ?? this.columns.conflict(record);
  }

  get hasChanges(): boolean {
    return this.rows.size > 0;
  }

  /** Stores the accepted records in the transaction of `connection`. */
  async append(connection: DuckDBConnection): Promise<void> {
    await appendRecords(connection, this.table, this.columns, [...this.rows.values()]);
  }

  /** Call it once the transaction is committed. */
  committed(): void {
    this.table.columns = this.columns;
    for (const { id, version, values, row } of this.rows.values()) this.index.set(id, { version, values, row });
  }
}
