/** Decides for each record of the calls to one table whether it is stored, and stores the accepted records. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Columns } from './columns';
import { exceededLimit } from './limits';
import { hashOf, type RecordHash } from './record-hash';
import { appendRecords, type NewRow } from './record-rows';
import { hasSameIdentity, hasSameMeasures, type RecordShape, type WriteRecord } from './record-shape';
import { type Arrival, Retention } from './retention';
import type { RowIndex } from './row-index';
import type { Store } from './store';
import { loadIndex, readStored } from './stored-rows';
import type { Table } from './table';

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

/** A row to store; `next` is another one whose hash has the same key. */
interface PendingRow extends NewRow {
  record: WriteRecord;
  readonly hash: RecordHash;
  readonly next: PendingRow | undefined;
}

/** The upper 53 bits of a hash, as a key of a Map. */
const keyOf = ({ high, low }: RecordHash): number => high * 2 ** 21 + (low >>> 11);

/** The calls to one table that are committed together. Use it only inside the store's `exclusive`. */
export class TableWrite {
  private readonly columns: Columns;
  private readonly retention: Retention;
  private readonly requiredDimension: string | undefined;
  /** The last shape that was found not to conflict with the table. */
  private accepted: RecordShape | undefined;
  private readonly rows: PendingRow[] = [];
  private readonly pending = new Map<number, PendingRow>();

  private constructor(
    private readonly table: Table,
    private readonly index: RowIndex,
    /** Stored rows that may have records of the calls. */
    private readonly stored: ReadonlyMap<number, WriteRecord>,
    nowMs: number,
  ) {
    this.columns = table.columns.fork();
    this.retention = new Retention(table.properties, nowMs);
    this.requiredDimension = table.properties.Schema.CompositePartitionKey.find(
      ({ EnforcementInRecord }) => EnforcementInRecord === 'REQUIRED',
    )?.Name;
  }

  /** @param records of all calls @param nowMs milliseconds since 1970 */
  static async open(store: Store, table: Table, records: readonly WriteRecord[], nowMs: number): Promise<TableWrite> {
    table.index ??= await loadIndex(store, table);
    const { index } = table;
    const rows = new Set<number>();
    for (const record of records) for (const row of index.rowsOf(hashOf(record))) rows.add(row);
    return new TableWrite(table, index, await readStored(store, table, [...rows]), nowMs);
  }

  /** Adds the records of a call. A record sees those of earlier calls. */
  add(records: readonly WriteRecord[]): WriteOutcome {
    const rejected: Rejection[] = [];
    const ingested = { Total: 0, MemoryStore: 0, MagneticStore: 0 };
    for (const [RecordIndex, record] of records.entries()) {
      const arrival = this.retention.arrivalOf(record.time);
      const rejection = this.refusal(record, arrival) ?? this.put(record);
      if (rejection === undefined) {
        ingested.Total += 1;
        ingested[arrival.store] += 1;
      } else rejected.push({ RecordIndex, ...rejection });
    }
    return { ingested, rejected };
  }

  /** Why the table refuses a record, whether or not a version of it is stored; or undefined. */
  private refusal(record: WriteRecord, arrival: Arrival): { Reason: string } | undefined {
    const { requiredDimension: required } = this;
    const { shape } = record;
    const Reason =
      required !== undefined && !shape.dimensions.includes(required)
        ? `The record is missing the required partition key dimension '${required}'.`
        : (exceededLimit(record) ??
          arrival.rejection ??
          (shape === this.accepted ? undefined : this.columns.conflict(shape)));
    return Reason === undefined ? undefined : { Reason };
  }

  /** Accepts the record, or returns why its version is not accepted. */
  private put(record: WriteRecord): Omit<Rejection, 'RecordIndex'> | undefined {
    const hash = hashOf(record);
    const key = keyOf(hash);
    const first = this.pending.get(key);
    const pending = findPending(first, record);
    const row = pending ? undefined : this.storedRowOf(record, hash);
    const existing = pending?.record ?? (row === undefined ? undefined : this.stored.get(row));
    if (existing !== undefined && existing.version >= record.version) {
      if (hasSameMeasures(existing, record)) return undefined;
      const { version } = existing;
      const Reason = version === record.version ? SAME_VERSION : lowerVersion(record.version, version);
      return { Reason, ExistingVersion: version };
    }
    if (record.shape !== this.accepted) this.columns.add(record.shape);
    this.accepted = record.shape;
    if (pending) pending.record = record;
    else {
      const added = { record, hash, row: this.index.takeRow(), replaces: row, next: first };
      this.rows.push(added);
      this.pending.set(key, added);
    }
    return undefined;
  }

  private storedRowOf(record: WriteRecord, hash: RecordHash): number | undefined {
    return this.index.rowsOf(hash).find((row) => {
      const stored = this.stored.get(row);
      return stored !== undefined && hasSameIdentity(stored, record);
    });
  }

  get hasChanges(): boolean {
    return this.rows.length > 0;
  }

  /** Stores the accepted records in the transaction of `connection`. */
  async append(connection: DuckDBConnection): Promise<void> {
    await appendRecords(connection, this.table, this.columns, this.rows);
  }

  /** Call it once the transaction is committed. */
  committed(): void {
    this.table.columns = this.columns;
    for (const { hash, row, replaces } of this.rows) {
      if (replaces === undefined) this.index.add(hash, row);
      else this.index.replace(hash, replaces, row);
    }
  }
}

function findPending(first: PendingRow | undefined, record: WriteRecord): PendingRow | undefined {
  let found = first;
  while (found !== undefined && !hasSameIdentity(found.record, record)) found = found.next;
  return found;
}
