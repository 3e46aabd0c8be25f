/**
 * Stores the records of a request in Timestream. Sends several calls at a time, and settles each record before the deadline: stored,
 * rejected with the service's reason, or left for the client to send again. No work continues afterwards.
 */

import type { LineReport } from '../line-report';
import { fullJitterDelay } from '../resilience/backoff';
import { type Clock, systemClock } from '../resilience/clock';
import { ByteWriter } from './byte-writer';
import { type Call, type CallFailure, CallQueue } from './call-queue';
import { NewTables } from './new-tables';
import { CallEncoder, packRecords, type RecordBatch } from './packing';
import { recordKey } from './record-key';
import { RecordLedger, type RecordsOutcome, type TableCounts } from './record-ledger';
import type { RecordSet } from './record-set';
import type { Table } from './series';
import {
  type CallResult,
  codeOf,
  type RejectedRecord,
  readResponse,
  type SendWriteRecords,
  withoutResponse,
} from './service';
import { TableCreationError, type TableCreator } from './tables';

/** Maximum concurrent calls of one request. */
const CONCURRENT_CALLS = 10;
const RETRY = { baseMs: 100, capMs: 2000 };
const BODY_BYTES = 128 * 1024;
/** A refused call is split into this many parts. One bad record costs as many calls as with halving; only bad records, two thirds. */
const PARTS = 4;

export interface WriterOptions {
  readonly database: string;
  readonly send: SendWriteRecords;
  readonly tables: TableCreator;
  /** Maximum number of tables that one request may create; if more are missing, it creates none. */
  readonly maxNewTables: number;
  /** Receives the counts of each table; undefined to count none. */
  readonly tableCounts?: TableCounts | undefined;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * Sends the records of a request and returns what became of them.
 * @param version version of the records: the time of the request, ms since 1970
 * @param report receives the lines of rejected records
 * @param signal aborts at the deadline
 */
export async function writeRecords(
  records: RecordSet,
  version: number,
  options: WriterOptions,
  report: LineReport,
  signal: AbortSignal,
): Promise<RecordsOutcome> {
  const writer = new RequestWriter(records, version, options, report, signal);
  return await writer.run();
}

class RequestWriter {
  private readonly queue = new CallQueue();
  private readonly newTables: NewTables;
  /** Ends `run`. */
  private settled: () => void = () => undefined;
  /** Errors that are no outcome of a call, such as a lack of memory. They end the run once nothing uses the records any more. */
  private readonly errors: unknown[] = [];
  private sending = 0;
  /** Number of calls, waits and table creations in progress. */
  private open = 0;
  private readonly ledger: RecordLedger;
  private readonly encoder: CallEncoder;
  private readonly clock: Clock;

  constructor(
    private readonly records: RecordSet,
    private readonly version: number,
    private readonly options: WriterOptions,
    report: LineReport,
    private readonly signal: AbortSignal,
  ) {
    const { batches, mergedRecords } = packRecords(records, report);
    this.ledger = new RecordLedger(records, mergedRecords, report, options.tableCounts);
    this.newTables = new NewTables(options.maxNewTables);
    this.queue.add(batches.flatMap((batch) => this.firstCall(batch) ?? []));
    this.encoder = new CallEncoder(records, options.database);
    this.clock = options.clock ?? systemClock;
  }

  async run(): Promise<RecordsOutcome> {
    await new Promise<void>((resolve) => {
      this.settled = resolve;
      this.advance();
    });
    if (this.errors.length > 0) throw this.errors[0];
    return this.ledger.outcome;
  }

  /** The first call of a batch, without records that Timestream refused before; undefined if no record is left. */
  private firstCall({ table, records }: RecordBatch): Call | undefined {
    const { memory } = this.options.tables;
    const left = memory.hasRefused(table.name) ? records.filter((record) => !this.wasRefused(table, record)) : records;
    if (left.length === 0) return undefined;
    if (!memory.existing.has(table.name)) this.newTables.expect(table);
    return { ...this.call(table, left, this.version), doubtful: memory.wasMissing(table.name) };
  }

  private wasRefused(table: Table, record: number): boolean {
    const reason = this.options.tables.memory.refusal(table.name, recordKey(this.records, record));
    if (reason === undefined) return false;
    this.ledger.reject(record, reason);
    return true;
  }

  private call(table: Table, records: Int32Array, version: number): Call {
    return { table, records, version, doubtful: false, retries: 0, failure: undefined };
  }

  /** Starts what can start now, and nothing after an error. Ends the run if nothing is in progress. */
  private advance(): void {
    try {
      if (this.errors.length === 0) this.startWork();
    } catch (error) {
      this.errors.push(error);
    }
    if (this.open === 0) this.settled();
  }

  /** Starts calls and table creations that can start now. */
  private startWork(): void {
    if (this.signal.aborted) this.leaveQueue();
    while (this.sending < CONCURRENT_CALLS) {
      const call = this.queue.next();
      if (call === undefined) break;
      if (this.newTables.isMissing(call.table)) this.newTables.keep(call);
      else this.track(this.send(call));
    }
    this.decideNewTables();
    if (this.open > 0) return;
    // All calls have ended, so each table was tried, unless the deadline passed before that.
    for (const table of this.newTables.takeUndecided()) {
      this.newTables.settle(table, (call) => this.ledger.leaveWithoutTable(call, 'the deadline had passed'));
    }
  }

  private track(work: Promise<void>): void {
    this.open++;
    void work
      .catch((error: unknown) => this.errors.push(error))
      .then(() => {
        this.open--;
        this.advance();
      });
  }

  /** Makes one attempt of a call. Then settles its records or returns the call to the queue. */
  private async send(call: Call): Promise<void> {
    this.sending++;
    const body = ByteWriter.borrow(BODY_BYTES);
    let result: CallResult;
    try {
      result = await this.attempt(call, this.encoder.encode(call, call.version, body));
    } finally {
      this.sending--;
      body.release();
    }
    this.newTables.noteTried(call.table);
    this.settle(call, result);
  }

  private async attempt(call: Call, bytes: Buffer): Promise<CallResult> {
    this.ledger.countCall(call);
    try {
      return readResponse(await this.options.send(bytes, this.signal), call.records.length);
    } catch (error) {
      return withoutResponse(error);
    }
  }

  private settle(call: Call, result: CallResult): void {
    const { memory } = this.options.tables;
    switch (result.kind) {
      case 'stored':
        memory.noteExisting(call.table.name);
        this.ledger.countStored(call, call.records.length);
        break;
      case 'rejected':
        memory.noteExisting(call.table.name);
        this.settleRejected(call, result.records);
        break;
      case 'missing-table':
        if (this.newTables.wasCreated(call.table) || memory.isNew(call.table.name)) {
          const reason = `table '${call.table.name}' is not active yet`;
          this.retry(call, { reason, code: undefined, throttled: false }, false);
        } else {
          memory.noteMissing(call.table.name);
          this.newTables.keep(call);
        }
        break;
      case 'invalid':
        this.split(call, result.reason);
        break;
      case 'refused':
        this.ledger.leave(call, { ...result, throttled: false });
        break;
      case 'transient':
        if (result.throttled) this.ledger.countThrottled(call);
        this.retry(call, result, result.connectionLost);
    }
  }

  /** Returns a call to the queue after a delay. */
  private retry(call: Call, failure: CallFailure, connectionLost: boolean): void {
    // A failure says nothing about the table, so the client must send the records again. An attempt aborted by the deadline is none.
    if (!this.signal.aborted) call.doubtful = false;
    // The deadline aborts an attempt: then the failure of the attempt before it is the reason to report.
    if (!this.signal.aborted || call.failure === undefined) call.failure = failure;
    const retry = call.retries++;
    // A kept-alive connection may have closed while the container was frozen, so the first retry uses a new one at once.
    if (connectionLost && retry === 0) {
      this.queue.addRetry(call);
      return;
    }
    const ms = fullJitterDelay(retry, { ...RETRY, random: this.options.random });
    this.track(this.clock.delay(ms, this.signal).then(() => this.queue.addRetry(call)));
  }

  private settleRejected(call: Call, rejected: readonly RejectedRecord[]): void {
    const again: number[] = [];
    const seen = new Set<number>();
    for (const { index, reason, existingVersion } of rejected) {
      if (seen.has(index)) continue;
      seen.add(index);
      const record = call.records[index];
      if (existingVersion !== undefined && existingVersion > this.version) {
        this.ledger.countSuperseded(call);
      } else if (existingVersion === this.version && call.version === this.version) again.push(record);
      else this.ledger.reject(record, reason);
    }
    this.ledger.countStored(call, call.records.length - seen.size);
    // Another request of the same millisecond stored other values. This request is the later one: it retries once, one version higher.
    if (again.length > 0) this.queue.add([this.call(call.table, Int32Array.from(again), call.version + 1)]);
  }

  /** Splits a call that the service refused as a whole, until each invalid record is alone in a call and can be rejected. */
  private split({ table, records, version }: Call, reason: string): void {
    if (records.length === 1) {
      const [record] = records;
      this.options.tables.memory.noteRefused(table.name, recordKey(this.records, record), reason);
      this.ledger.reject(record, reason);
      return;
    }
    const size = Math.ceil(records.length / PARTS);
    const parts: Call[] = [];
    for (let at = 0; at < records.length; at += size) {
      parts.push(this.call(table, records.subarray(at, at + size), version));
    }
    this.queue.addParts(parts);
  }

  /** Creates the missing tables, or refuses them if they exceed the maximum, as soon as that is certain. */
  private decideNewTables(): void {
    for (const table of this.newTables.takeDecidable()) {
      if (!this.newTables.areTooMany()) this.track(this.createTable(table));
      else {
        this.options.tables.memory.noteNotCreated(table.name);
        this.newTables.settle(table, this.refuseNewTable);
      }
    }
  }

  private readonly refuseNewTable = (call: Call): void => {
    const { maxNewTables } = this.options;
    const reason = `MaxNewTables allows ${maxNewTables} new tables per request, but this request needs more: its points for new tables were not stored`;
    this.ledger.rejectCall(call, reason);
  };

  private async createTable(table: Table): Promise<void> {
    try {
      await this.options.tables.create(table.name, this.signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof TableCreationError && error.invalid) {
        this.newTables.settle(table, (call) => this.ledger.rejectCall(call, reason));
      } else {
        const code = this.signal.aborted ? undefined : codeOf(error);
        this.newTables.settle(table, (call) => this.ledger.leaveWithoutTable(call, reason, code));
      }
      return;
    }
    this.ledger.countNewTable();
    this.queue.add(this.newTables.noteCreated(table));
  }

  /**
   * At the deadline: empties the queue, and counts the records as unstored. If this request found too many tables missing itself,
   * tables that were missing a short time ago and that no response showed since count as missing too.
   */
  private leaveQueue(): void {
    const tooLate = { reason: 'the deadline of the request had passed', code: undefined, throttled: false };
    const isTooMany = this.newTables.areTooMany();
    for (const call of this.queue.drain()) {
      if (call.doubtful && isTooMany) this.refuseNewTable(call);
      else this.ledger.leave(call, call.failure ?? tooLate);
    }
  }
}
