/** A Timestream with a schedule of faults: says which call fails and how, and records what it stored and what it reported. */
import fc from 'fast-check';
import type { ServiceResponse, TableAdministration } from 'shared/timestream/service';
import { MAPPING } from '../support/connector-mapping';
import { serviceError } from '../support/connector-tables';
import { expandCall, identityOf, type PlainCall, type PlainRecord } from '../support/timestream-calls';
import { answer, TimestreamModel } from '../support/timestream-model';
import type { VirtualClock } from '../support/virtual-clock';

/** The model refuses a call with the first value, and rejects a record with the second one. */
export const INVALID_VALUE = 7;
export const REJECTED_VALUE = 8;

/** After all steps but the last two the writer retries the call soon. */
const STEPS = [
  'carry out',
  'throttle',
  'throttle by status',
  'fault',
  'fault of a proxy',
  'fault, carried out',
  'lose before',
  'lose after',
  'deny',
  'hang',
] as const;
export type Step = (typeof STEPS)[number];
type Creation = 'create' | 'throttle' | 'conflict' | 'deny' | 'invalid' | 'fault';

export interface Point {
  readonly table: number;
  readonly series: number;
  readonly time: number;
  readonly value: number;
}

export interface Faults {
  readonly schedule: readonly { readonly step: Step; readonly ms: number }[];
  /** The step of all calls after the schedule. */
  readonly afterwards: Step;
  readonly tables: readonly string[];
  readonly databaseExists: boolean;
  readonly creations: readonly Creation[];
  /** Number of calls for which a new table still seems to be missing. */
  readonly inactiveCalls: number;
}

/** Duration of calls after the end of the schedule, ms. */
export const CALL_MS = 100;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('carry out' as const) },
  { weight: 8, arbitrary: fc.constantFrom(...STEPS.slice(0, 8)) },
  { weight: 1, arbitrary: fc.constantFrom(...STEPS) },
);

export const schedule = fc.array(fc.record({ step, ms: fc.nat(400) }), { maxLength: 40 });
export const stepAfterwards: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('carry out' as const) },
  { weight: 1, arbitrary: fc.constantFrom(...STEPS) },
);
export const tables = fc.subarray(['t0', 't1', 't2', 't3']);
export const creations = (...kinds: Creation[]): fc.Arbitrary<Creation[]> =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('create' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...kinds) },
    ),
    { maxLength: 8 },
  );

/** Records what it reported to the client for each record. */
export class ScheduledTimestream implements TableAdministration {
  readonly model = new TimestreamModel({
    invalid: (record) => (valueIn(record) === INVALID_VALUE ? `invalid ${identityOf(record)}` : undefined),
    rejected: (record) => (valueIn(record) === REJECTED_VALUE ? `rejected ${identityOf(record)}` : undefined),
  });
  readonly stored: string[] = [];
  readonly superseded: string[] = [];
  readonly rejected = new Map<string, string>();
  readonly versions = new Set<number>();
  /** Tables with invalid names or settings, which the service refused to create. */
  readonly refusedTables = new Set<string>();
  /** The step of all calls while it is set. */
  outage: Step | undefined;
  inFlight = 0;
  maxInFlight = 0;
  calls = 0;
  private creations = 0;
  private readonly inactive = new Map<string, number>();
  private database: boolean;

  constructor(
    readonly given: Faults,
    readonly clock: VirtualClock,
  ) {
    this.database = given.databaseExists;
    if (given.databaseExists) for (const table of given.tables) this.model.tables.add(table);
  }

  readonly send = async (body: Uint8Array, signal: AbortSignal): Promise<ServiceResponse> => {
    const { schedule, afterwards } = this.given;
    const scheduled = schedule[this.calls++] ?? { step: afterwards, ms: CALL_MS };
    const { step, ms } = this.outage === undefined ? scheduled : { step: this.outage, ms: CALL_MS };
    this.inFlight++;
    this.maxInFlight = Math.max(this.maxInFlight, this.inFlight);
    try {
      await this.clock.delay(step === 'hang' ? 1e9 : ms, signal);
      if (signal.aborted) throw new Error('aborted');
      return this.respond(step, body);
    } finally {
      this.inFlight--;
    }
  };

  private respond(step: Step, body: Uint8Array): ServiceResponse {
    switch (step) {
      case 'throttle':
        return answer(400, 'ThrottlingException', { Message: 'slower' });
      case 'throttle by status':
        return { status: 429, body: Buffer.from('slow down') };
      case 'fault':
        return answer(500, 'InternalServerException');
      case 'fault of a proxy':
        return { status: 503, body: Buffer.from('<html>') };
      case 'fault, carried out':
        this.carryOut(expandCall(body));
        return answer(500, 'InternalServerException');
      case 'lose after':
        this.carryOut(expandCall(body));
        throw new Error('read ECONNRESET');
      case 'lose before':
        throw new Error('write EPIPE');
      case 'deny':
        return answer(400, 'AccessDeniedException', { Message: 'not allowed' });
      default: {
        const call = expandCall(body);
        const result = this.carryOut(call);
        this.remember(call, result);
        return result;
      }
    }
  }

  private carryOut(call: PlainCall): ServiceResponse {
    const inactive = this.inactive.get(call.table) ?? 0;
    if (inactive === 0) return this.model.carryOut(call);
    this.inactive.set(call.table, inactive - 1);
    return answer(404, 'ResourceNotFoundException');
  }

  private remember({ records, versions }: PlainCall, { status, body: text }: ServiceResponse): void {
    for (const version of versions) this.versions.add(version);
    if (status !== 200 && status !== 419) {
      const [record, ...others] = records;
      if (status === 400 && record !== undefined && others.length === 0)
        this.rejected.set(identityOf(record), 'invalid');
      return;
    }
    const { RejectedRecords = [] } = JSON.parse(text.toString()) as {
      RejectedRecords?: { RecordIndex: number; Reason: string; ExistingVersion?: number }[];
    };
    const rejections = new Map(RejectedRecords.map((rejection) => [rejection.RecordIndex, rejection]));
    for (const [index, record] of records.entries()) {
      const rejection = rejections.get(index);
      const version = versions[index] ?? 1;
      if (rejection === undefined) this.stored.push(identityOf(record));
      else if ((rejection.ExistingVersion ?? 0) > version) this.superseded.push(identityOf(record));
      else if (rejection.ExistingVersion === undefined) this.rejected.set(identityOf(record), 'rejected');
    }
  }

  /** A copy of the set of tables that accept writes now. */
  get activeTables(): ReadonlySet<string> {
    return new Set([...this.model.tables].filter((table) => (this.inactive.get(table) ?? 0) === 0));
  }

  /** Adds active tables, as another process does. */
  createElsewhere(tables: readonly string[]): void {
    if (tables.length > 0) this.database = true;
    for (const table of tables) this.model.tables.add(table);
  }

  databaseExists(): Promise<boolean> {
    return Promise.resolve(this.database);
  }

  async createDatabase(_request: unknown, signal: AbortSignal): Promise<void> {
    await this.clock.delay(20, signal);
    signal.throwIfAborted();
    if (this.database) throw serviceError('ConflictException');
    this.database = true;
  }

  async createTable({ TableName = '' }: { TableName: string | undefined }, signal: AbortSignal): Promise<void> {
    const creation = this.given.creations[this.creations++] ?? 'create';
    await this.clock.delay(20, signal);
    signal.throwIfAborted();
    if (!this.database) throw serviceError('ResourceNotFoundException');
    if (creation === 'throttle') throw serviceError('ThrottlingException');
    if (creation === 'deny') throw serviceError('AccessDeniedException');
    if (creation === 'fault') throw serviceError('InternalServerException');
    if (creation === 'invalid') {
      this.refusedTables.add(TableName);
      throw serviceError('ValidationException');
    }
    if (!this.model.tables.has(TableName)) this.inactive.set(TableName, this.given.inactiveCalls);
    this.model.tables.add(TableName);
    if (creation === 'conflict') throw serviceError('ConflictException');
  }
}

export const valueIn = ({ measures }: PlainRecord): number => Number(measures.v?.replace('BIGINT ', ''));

export const recordOf = ({ table, series, time, value }: Point): PlainRecord => ({
  table: `t${table}`,
  measureName: MAPPING.measureName,
  dimensions: [`s=${series}`],
  time: BigInt(time),
  measures: { v: `BIGINT ${value}` },
});

/** The points as lines of line protocol. */
export const linesOf = (points: readonly Point[]): Buffer =>
  Buffer.from(points.map(({ table, series, time, value }) => `t${table},s=${series} v=${value}i ${time}\n`).join(''));

/** The expected records by identity, each with its lines. The values of later lines win. */
export function expectedRecords(points: readonly Point[]): Map<string, { record: PlainRecord; lines: number[] }> {
  const records = new Map<string, { record: PlainRecord; lines: number[] }>();
  for (const [index, point] of points.entries()) {
    const record = recordOf(point);
    const identity = identityOf(record);
    const lines = [...(records.get(identity)?.lines ?? []), index + 1];
    records.set(identity, { record, lines });
  }
  return records;
}
