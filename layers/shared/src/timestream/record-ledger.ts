/** Accounts for the records of a request: counts stored and unstored records, and reports the lines of rejected records. */
import type { TableTotals } from '../connector-metrics';
import type { LineReport } from '../line-report';
import type { Call, CallFailure } from './call-queue';
import type { RecordSet } from './record-set';
import type { Table } from './series';

/** Part of Timestream's reason for a record that is too old or too new. */
const OUTSIDE_TIME_RANGE = /outside the time range/;

export interface RecordsOutcome {
  readonly calls: number;
  /** Calls that Timestream throttled. Their records may be stored by a retry. */
  readonly throttledCalls: number;
  /** Missing tables that were created. */
  readonly newTables: number;
  /** Stored records, including those that Timestream already has in a newer version. */
  readonly stored: number;
  /** Records that Timestream already has in a newer version. */
  readonly superseded: number;
  /** Records that were not sent or have an unknown result. The client can safely send them again. */
  readonly unstored: number;
  readonly throttled: boolean;
  /** Missing tables that were not created before the deadline. */
  readonly missingTables: number;
  /** Why the last of the unstored records was not stored. */
  readonly unstoredReason: string | undefined;
  /** Error type or code of the first failure that left a record unstored; safe to show to a client. */
  readonly failureCode: string | undefined;
}

/** Counts by table, for the metrics of each table. */
export class TableCounts {
  readonly totals = new Map<string, { -readonly [Metric in keyof TableTotals]: number }>();

  add(table: string, metric: keyof TableTotals, count: number): void {
    let totals = this.totals.get(table);
    if (totals === undefined) {
      totals = { pointsStored: 0, pointsSuperseded: 0, pointsUnstored: 0, calls: 0, throttledCalls: 0 };
      this.totals.set(table, totals);
    }
    totals[metric] += count;
  }
}

export class RecordLedger {
  readonly outcome = {
    calls: 0,
    throttledCalls: 0,
    newTables: 0,
    stored: 0,
    superseded: 0,
    unstored: 0,
    throttled: false,
    missingTables: 0,
    unstoredReason: undefined as string | undefined,
    failureCode: undefined as string | undefined,
  };
  private readonly uncreatedTables = new Set<Table>();

  /**
   * @param mergedRecords for each merged record the records that it consists of
   * @param tables counts by table too; undefined to count none
   */
  constructor(
    private readonly records: RecordSet,
    private readonly mergedRecords: ReadonlyMap<number, readonly number[]>,
    private readonly report: LineReport,
    private readonly tables?: TableCounts,
  ) {}

  countCall({ table }: Call): void {
    this.outcome.calls++;
    this.tables?.add(table.name, 'calls', 1);
  }

  countThrottled({ table }: Call): void {
    this.outcome.throttledCalls++;
    this.tables?.add(table.name, 'throttledCalls', 1);
  }

  countNewTable(): void {
    this.outcome.newTables++;
  }

  countStored({ table }: Call, records: number): void {
    this.outcome.stored += records;
    this.tables?.add(table.name, 'pointsStored', records);
  }

  /** Counts a record that Timestream already has in a newer version. */
  countSuperseded(call: Call): void {
    this.outcome.superseded++;
    this.tables?.add(call.table.name, 'pointsSuperseded', 1);
    this.countStored(call, 1);
  }

  /** Reports the lines of a record that cannot be stored. */
  reject(record: number, reason: string): void {
    const limit = OUTSIDE_TIME_RANGE.test(reason) ? 'time-range' : undefined;
    const doubt = limit && this.records.precisionDoubt(record);
    const explained = doubt === undefined ? reason : `${reason} ${doubt}`;
    for (const each of this.mergedRecords.get(record) ?? [record])
      this.report.rejected(this.records.place(each), explained, limit);
  }

  rejectCall(call: Call, reason: string): void {
    for (const record of call.records) this.reject(record, reason);
  }

  /** Counts the records of a call as unstored. */
  leave(call: Call, { reason, code, throttled }: CallFailure): void {
    this.outcome.unstored += call.records.length;
    this.tables?.add(call.table.name, 'pointsUnstored', call.records.length);
    this.outcome.unstoredReason = reason;
    this.outcome.failureCode ??= code;
    this.outcome.throttled ||= throttled;
  }

  /** Counts the records of a call as unstored, because its table was not created. */
  leaveWithoutTable(call: Call, reason: string, code?: string): void {
    this.uncreatedTables.add(call.table);
    this.outcome.missingTables = this.uncreatedTables.size;
    this.leave(call, { reason: `table '${call.table.name}' could not be created: ${reason}`, code, throttled: false });
  }
}
