/**
 * Stores the records of a request in Timestream: sends its calls, several at a time, and brings each record to an end before the
 * deadline: stored, rejected with the service's reason, or left for the client to send again. Nothing runs on afterwards.
 */
import { fullJitterDelay } from '../resilience/backoff';
import { type Clock, systemClock } from '../resilience/clock';
import { ByteWriter } from './byte-writer';
import { type Call, type CallFailure, CallQueue } from './call-queue';
import type { LineReport } from './line-report';
import { NewTables } from './new-tables';
import { CallEncoder, packRecords, type RecordBatch } from './packing';
import { recordKey } from './record-key';
import type { RecordSet } from './records';
import type { Table } from './series';
import { type CallResult, type RejectedRecord, readResponse, type SendWriteRecords } from './service';
import { TableCreationError, type TableCreator } from './tables';

/** Calls under way at a time, of one request. */
const CONCURRENT_CALLS = 10;
const RETRY = { baseMs: 100, capMs: 2000 };
const BODY_BYTES = 128 * 1024;
/** Into so many parts a refused call is cut. For one bad record it costs as many calls as halving, where all are bad two thirds. */
const PARTS = 4;

export interface WriterOptions {
  readonly database: string;
  readonly send: SendWriteRecords;
  readonly tables: TableCreator;
  /** More missing tables than this are not created for one request. */
  readonly maxNewTables: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface RecordsOutcome {
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
  /** Error type or code of the first failure that kept a record from being stored; safe to show to a client. */
  readonly failureCode: string | undefined;
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
): Promise<RecordsOutcome> {
  const writer = new RequestWriter(records, version, options, report, signal);
  await writer.run();
  return writer.outcome;
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
    failureCode: undefined as string | undefined,
  };
  private readonly queue = new CallQueue();
  private readonly mergedRecords: ReadonlyMap<number, readonly number[]>;
  private readonly newTables: NewTables;
  /** New tables that were not created in time. */
  private readonly leftTables = new Set<Table>();
  private settled: () => void = () => undefined;
  private failed: (error: unknown) => void = () => undefined;
  private sending = 0;
  /** Calls, waits and creations under way. */
  private open = 0;
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
    this.mergedRecords = mergedRecords;
    this.newTables = new NewTables(options.maxNewTables);
    this.queue.add(batches.flatMap((batch) => this.firstCall(batch) ?? []));
    this.encoder = new CallEncoder(records, options.database);
    this.clock = options.clock ?? systemClock;
  }

  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.settled = resolve;
      this.failed = reject;
      this.advance();
    });
  }

  /** The first call of a batch, without records that were refused before; undefined where none is left. */
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
    this.reject(record, reason);
    return true;
  }

  private call(table: Table, records: Int32Array, version: number): Call {
    return { table, records, version, doubtful: false, retries: 0, failure: undefined };
  }

  /** Starts what can be started; ends the run once nothing is under way. */
  private advance(): void {
    if (this.signal.aborted) this.leaveQueue();
    while (this.sending < CONCURRENT_CALLS) {
      const call = this.queue.next();
      if (call === undefined) break;
      if (this.newTables.isMissing(call.table)) this.newTables.keep(call);
      else this.track(this.send(call));
    }
    this.decideNewTables();
    if (this.open > 0) return;
    // With all calls ended each table was tried, unless the deadline came first.
    for (const table of this.newTables.takeUndecided()) {
      this.newTables.end(table, (call) => this.leaveForTable(call, 'the deadline came first'));
    }
    this.settled();
  }

  private track(work: Promise<void>): void {
    this.open++;
    work
      .then(() => {
        this.open--;
        this.advance();
      })
      .catch(this.failed);
  }

  /** Sends one call once, and settles its records or puts it back into the queue. */
  private async send(call: Call): Promise<void> {
    this.sending++;
    const body = ByteWriter.borrow(BODY_BYTES);
    let result: CallResult;
    try {
      result = await this.attempt(this.encoder.encode(call, call.version, body), call.records.length);
    } finally {
      this.sending--;
      body.release();
    }
    this.newTables.noteTried(call.table);
    this.settle(call, result);
  }

  private async attempt(bytes: Buffer, records: number): Promise<CallResult> {
    this.outcome.calls++;
    try {
      return readResponse(await this.options.send(bytes, this.signal), records);
    } catch (error) {
      const reason =
        error instanceof Error ? `no answer from Timestream: ${error.message}` : 'no answer from Timestream';
      return { kind: 'transient', throttled: false, connectionLost: true, code: codeOf(error), reason };
    }
  }

  private settle(call: Call, result: CallResult): void {
    const { memory } = this.options.tables;
    switch (result.kind) {
      case 'stored':
        memory.noteExisting(call.table.name);
        this.outcome.stored += call.records.length;
        break;
      case 'rejected':
        memory.noteExisting(call.table.name);
        this.settleRejected(call, result.records);
        break;
      case 'missing-table':
        memory.noteMissing(call.table.name);
        if (this.newTables.wasCreated(call.table)) {
          const reason = `table '${call.table.name}' is not active yet`;
          this.retry(call, { reason, code: undefined, throttled: false }, false);
        } else this.newTables.keep(call);
        break;
      case 'invalid':
        this.divide(call, result.reason);
        break;
      case 'refused':
        this.leave(call, { ...result, throttled: false });
        break;
      case 'transient':
        this.retry(call, result, result.connectionLost);
    }
  }

  /** Puts a call back into the queue after a wait. */
  private retry(call: Call, failure: CallFailure, connectionLost: boolean): void {
    // What the deadline cuts off failed for what it failed before.
    if (!this.signal.aborted || call.failure === undefined) call.failure = failure;
    const retry = call.retries++;
    // A connection that was kept alive may have died while the container was frozen: a new one is tried at once.
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
        this.outcome.superseded++;
        this.outcome.stored++;
      } else if (existingVersion === this.version && call.version === this.version) again.push(record);
      else this.reject(record, reason);
    }
    this.outcome.stored += call.records.length - seen.size;
    // Another request of the same millisecond stored other values: as the later one, this one goes above it, once.
    if (again.length > 0) this.queue.add([this.call(call.table, Int32Array.from(again), call.version + 1)]);
  }

  /** The service refuses the whole call for the sake of some records: cuts it up until those stand alone. */
  private divide({ table, records, version }: Call, reason: string): void {
    if (records.length === 1) {
      const [record] = records;
      this.options.tables.memory.noteRefused(table.name, recordKey(this.records, record), reason);
      this.reject(record, reason);
      return;
    }
    const size = Math.ceil(records.length / PARTS);
    const parts: Call[] = [];
    for (let at = 0; at < records.length; at += size) {
      parts.push(this.call(table, records.subarray(at, at + size), version));
    }
    this.queue.addParts(parts);
  }

  /** Creates or refuses the new tables of which it is certain by now. */
  private decideNewTables(): void {
    for (const table of this.newTables.takeDecidable()) {
      if (!this.newTables.areTooMany()) this.track(this.createTable(table));
      else {
        this.options.tables.memory.noteNotCreated(table.name);
        this.newTables.end(table, this.refuseNewTable);
      }
    }
  }

  private readonly refuseNewTable = (call: Call): void => {
    const { maxNewTables } = this.options;
    const reason = `MaxNewTables allows ${maxNewTables} new tables a request, and this one needs more: nothing was stored in them`;
    this.rejectAll(call, reason);
  };

  private async createTable(table: Table): Promise<void> {
    try {
      await this.options.tables.create(table.name, this.signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof TableCreationError && error.invalid) {
        this.newTables.end(table, (call) => this.rejectAll(call, reason));
      } else
        this.newTables.end(table, (call) =>
          this.leaveForTable(call, reason, this.signal.aborted ? undefined : codeOf(error)),
        );
      return;
    }
    this.queue.add(this.newTables.noteCreated(table));
  }

  private leaveForTable(call: Call, reason: string, code?: string): void {
    this.leftTables.add(call.table);
    this.outcome.missingTables = this.leftTables.size;
    this.leave(call, { reason: `table '${call.table.name}' could not be created: ${reason}`, code, throttled: false });
  }

  /** At the deadline: leaves what is in the queue. Tables that were missing a short time ago count as missing. */
  private leaveQueue(): void {
    const tooLate = { reason: 'the deadline of the request had passed', code: undefined, throttled: false };
    const calls = this.queue.drain();
    const doubtful = new Set(calls.filter((call) => call.doubtful).map(({ table }) => table));
    const isTooMany = this.newTables.areTooMany(doubtful.size);
    for (const call of calls) {
      if (call.doubtful && isTooMany) this.refuseNewTable(call);
      else this.leave(call, call.failure ?? tooLate);
    }
  }

  private rejectAll(call: Call, reason: string): void {
    for (const record of call.records) this.reject(record, reason);
  }

  private reject(record: number, reason: string): void {
    for (const each of this.mergedRecords.get(record) ?? [record])
      this.report.rejected(this.records.place(each), reason);
  }

  private leave(call: Call, { reason, code, throttled }: CallFailure): void {
    this.outcome.unstored += call.records.length;
    this.outcome.unstoredReason = reason;
    this.outcome.failureCode ??= code;
    this.outcome.throttled ||= throttled;
  }
}

/** The code of an error of Node's, or its type as the SDK names it; undefined where it has neither. */
function codeOf(error: unknown): string | undefined {
  const { code, name } = error as Partial<NodeJS.ErrnoException>;
  const found = typeof code === 'string' ? code : name;
  return found !== undefined && found !== 'Error' && /^\w{1,100}$/.test(found) ? found : undefined;
}
