/**
 * Stores the records of a request in Timestream: sends its calls, several at a time, and brings each record to an end before the
 * deadline: stored, rejected with the service's reason, or left for the client to send again. Nothing runs on afterwards.
 */
import { fullJitterDelay } from '../resilience/backoff';
import { type Clock, systemClock } from '../resilience/clock';
import { ByteWriter } from './byte-writer';
import type { LineReport } from './line-report';
import { type Batch, CallEncoder, packRecords } from './packing';
import type { RecordSet } from './records';
import type { Table } from './series';
import { type RejectedRecord, readAnswer, type SendWriteRecords, type WriteResult } from './service';
import { TableCreationError, type TableCreator } from './tables';

/** Calls under way at a time, of one request. */
const CONCURRENT_CALLS = 10;
const RETRY = { baseMs: 100, capMs: 2000 };
const BODY_BYTES = 128 * 1024;
/** Once a request has found so many times its new tables missing, those it has not tried are taken for missing too. */
const TRIED_PER_NEW_TABLE = 3;

export interface WriterOptions {
  readonly database: string;
  readonly send: SendWriteRecords;
  readonly tables: TableCreator;
  /** More missing tables than this are not created for one request. */
  readonly maxNewTables: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface WriteOutcome {
  readonly calls: number;
  /** Records stored, among them those that a newer version has overtaken. */
  readonly stored: number;
  readonly superseded: number;
  /** Records whose fate is open or that were not sent: sending them again is safe. */
  readonly unstored: number;
  readonly throttled: boolean;
  /** Tables that are missing and were not created in time. */
  readonly missingTables: number;
  /** Why the last of them was not stored. */
  readonly unstoredReason: string | undefined;
}

/**
 * @param version of the records: the request's time, ms since 1970
 * @param report takes the lines of rejected records
 * @param signal aborts at the deadline
 */
export async function writeRecords(
  records: RecordSet,
  version: number,
  options: WriterOptions,
  report: LineReport,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const writer = new RequestWriter(records, version, options, report, signal);
  await writer.run();
  return writer.outcome;
}

interface Call extends Batch {
  readonly version: number;
}

class RequestWriter {
  readonly outcome = {
    calls: 0,
    stored: 0,
    superseded: 0,
    unstored: 0,
    throttled: false,
    missingTables: 0,
    unstoredReason: undefined as string | undefined,
  };
  private readonly queue: Call[];
  private readonly mergedRecords: ReadonlyMap<number, readonly number[]>;
  private readonly missing = new Map<Table, Call[]>();
  private readonly created = new Set<Table>();
  private workers = 0;
  private readonly encoder: CallEncoder;
  private readonly clock: Clock;

  constructor(
    private readonly records: RecordSet,
    private readonly version: number,
    private readonly options: WriterOptions,
    private readonly report: LineReport,
    private readonly signal: AbortSignal,
  ) {
    const { batches, mergedRecords } = packRecords(records, report);
    this.queue = batches.map((batch) => ({ ...batch, version })).reverse();
    this.mergedRecords = mergedRecords;
    this.encoder = new CallEncoder(records, options.database);
    this.clock = options.clock ?? systemClock;
  }

  async run(): Promise<void> {
    await this.sendQueue();
    if (this.missing.size > this.options.maxNewTables) this.refuseNewTables();
    else await Promise.all([...this.missing].map(([table, calls]) => this.createAndSend(table, calls)));
  }

  /** Has the queue emptied by as many workers as are free; those at work already take from it too. */
  private async sendQueue(): Promise<void> {
    const free = Math.min(CONCURRENT_CALLS - this.workers, this.queue.length);
    await Promise.all(Array.from({ length: free }, () => this.work()));
  }

  private async work(): Promise<void> {
    this.workers++;
    const body = ByteWriter.borrow(BODY_BYTES);
    try {
      for (let call = this.queue.pop(); call !== undefined; call = this.queue.pop()) await this.send(call, body);
    } finally {
      this.workers--;
      body.release();
    }
  }

  private async createAndSend(table: Table, calls: readonly Call[]): Promise<void> {
    try {
      await this.options.tables.create(table.name, this.signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const invalid = error instanceof TableCreationError && error.invalid;
      if (!invalid) this.outcome.missingTables++;
      for (const call of calls) {
        if (invalid) for (const record of call.records) this.reject(record, reason);
        else this.leave(call, `table '${table.name}' could not be created: ${reason}`);
      }
      return;
    }
    this.created.add(table);
    this.queue.push(...calls);
    await this.sendQueue();
  }

  private refuseNewTables(): void {
    const reason = `the request needs ${this.missing.size} or more new tables, and MaxNewTables allows ${this.options.maxNewTables}: nothing was stored in them`;
    for (const calls of this.missing.values()) {
      for (const call of calls) for (const record of call.records) this.reject(record, reason);
    }
  }

  /** Sends one call, again while that may help, and settles each of its records. */
  private async send(call: Call, body: ByteWriter): Promise<void> {
    if (this.mustWait(call.table)) return this.keepForTable(call);
    let reason = 'the deadline of the request had passed';
    if (this.signal.aborted) return this.leave(call, reason);
    const bytes = this.encoder.encode(call, call.version, body);
    let throttled = false;
    for (let retry = 0; !this.signal.aborted; retry++) {
      const result = await this.attempt(bytes, call.records.length);
      if (result.kind === 'transient') {
        reason = result.reason;
        throttled = result.throttled;
      } else if (result.kind === 'missing-table' && this.created.has(call.table)) {
        reason = `table '${call.table.name}' is not active yet`;
      } else return this.settle(call, result);
      // A connection that was kept alive may have died while the container was frozen: a new one is tried at once.
      const atOnce = retry === 0 && result.kind === 'transient' && result.connectionLost;
      if (!atOnce)
        await this.clock.delay(fullJitterDelay(retry, { ...RETRY, random: this.options.random }), this.signal);
    }
    this.outcome.throttled ||= throttled;
    this.leave(call, reason);
  }

  /** True for a table that is missing; once too many are, for each that is not known to exist. */
  private mustWait(table: Table): boolean {
    if (this.created.has(table)) return false;
    const tooMany = this.missing.size > this.options.maxNewTables * TRIED_PER_NEW_TABLE;
    return this.missing.has(table) || (tooMany && !this.options.tables.known.has(table.name));
  }

  private async attempt(bytes: Buffer, records: number): Promise<WriteResult> {
    this.outcome.calls++;
    try {
      return readAnswer(await this.options.send(bytes, this.signal), records);
    } catch (error) {
      const reason =
        error instanceof Error ? `no answer from Timestream: ${error.message}` : 'no answer from Timestream';
      return { kind: 'transient', throttled: false, connectionLost: true, reason };
    }
  }

  private settle(call: Call, result: Exclude<WriteResult, { kind: 'transient' }>): void {
    const { known } = this.options.tables;
    if (result.kind === 'stored' || result.kind === 'rejected') known.add(call.table.name);
    else if (result.kind === 'missing-table') known.delete(call.table.name);
    switch (result.kind) {
      case 'stored':
        this.outcome.stored += call.records.length;
        break;
      case 'rejected':
        this.settleRejected(call, result.records);
        break;
      case 'missing-table':
        this.keepForTable(call);
        break;
      case 'invalid':
        this.bisect(call, result.reason);
        break;
      case 'refused':
        this.leave(call, result.reason);
    }
  }

  private settleRejected(call: Call, rejected: readonly RejectedRecord[]): void {
    const again: number[] = [];
    const seen = new Set<number>();
    for (const { index, reason, existingVersion } of rejected) {
      if (seen.has(index)) continue;
      seen.add(index);
      const record = call.records[index];
      if (existingVersion !== undefined && existingVersion > this.version) {
        this.outcome.superseded++;
        this.outcome.stored++;
      } else if (existingVersion === this.version && call.version === this.version) again.push(record);
      else this.reject(record, reason);
    }
    this.outcome.stored += call.records.length - seen.size;
    // Another request of the same millisecond stored other values: as the later one, this one goes above it, once.
    if (again.length > 0) {
      this.queue.push({ table: call.table, records: Int32Array.from(again), version: call.version + 1 });
    }
  }

  /** The service refuses the whole call for the sake of some records: halves it until those stand alone. */
  private bisect(call: Call, reason: string): void {
    const { table, records, version } = call;
    const middle = records.length >> 1;
    if (middle === 0) this.reject(records[0], reason);
    else {
      this.queue.push(
        { table, records: records.slice(middle), version },
        { table, records: records.slice(0, middle), version },
      );
    }
  }

  private keepForTable(call: Call): void {
    const calls = this.missing.get(call.table);
    if (calls === undefined) this.missing.set(call.table, [call]);
    else calls.push(call);
  }

  private reject(record: number, reason: string): void {
    for (const each of this.mergedRecords.get(record) ?? [record])
      this.report.rejected(this.records.place(each), reason);
  }

  private leave(call: Call, reason: string): void {
    this.outcome.unstored += call.records.length;
    this.outcome.unstoredReason = reason;
  }
}
