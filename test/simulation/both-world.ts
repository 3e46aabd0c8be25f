/**
 * The world of the simulation of two destinations: the write function with its queue, its bucket and its asynchronous invocations, before
 * a Timestream and an InfluxDB with faults, in virtual time.
 */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { loadConnectorConfig } from 'shared/config';
import type { DestinationName } from 'shared/destination-config';
import { InfluxClient } from 'shared/influxdb/client';
import type { InfluxTransport } from 'shared/influxdb/transport';
import type { FunctionLogger, LogFields } from 'shared/logger';
import type { TimestreamLimit } from 'shared/timestream/refusal';
import type { SendWriteRecords } from 'shared/timestream/service';
import { TableCreator } from 'shared/timestream/tables';
import type { DeadLetter } from '../../functions/write-line-protocol/dead-letters';
import type { Destination } from '../../functions/write-line-protocol/destination';
import { influxdbDestination } from '../../functions/write-line-protocol/influxdb-destination';
import type { WriteEvent } from '../../functions/write-line-protocol/request';
import type { HttpResponse } from '../../functions/write-line-protocol/responses';
import { timestreamDestination } from '../../functions/write-line-protocol/timestream-destination';
import { createHandler } from '../../functions/write-line-protocol/write-handler';
import { expandCall } from '../support/timestream-calls';
import { VirtualClock } from '../support/virtual-clock';
import { Invocation, linesIn, type Mode } from './both-invocation';
import { storedRecord } from './both-points';
import { type InfluxFaults, type InfluxStep, ScheduledInfluxDB } from './influxdb-service';
import { type Faults, ScheduledTimestream, type Step } from './timestream-service';

/** How a call to the queue, the bucket or Lambda ends. */
export type ServiceStep = 'carry out' | 'fail' | 'throttle' | 'lose after' | 'hang';

export interface WorldOptions {
  readonly timestream: Faults;
  readonly influxdb: InfluxFaults;
  readonly outages: readonly (
    | { readonly of: 'timestream'; readonly from: number; readonly ms: number; readonly step: Step }
    | { readonly of: 'influxdb'; readonly from: number; readonly ms: number; readonly step: InfluxStep }
  )[];
  /** When the operator changes Destination from timestream to both, and then to influxdb, ms; undefined: it is both all the time. */
  readonly changes: readonly [number, number] | undefined;
  readonly secondaryRequired: boolean;
  readonly asynchronous: boolean;
  readonly influxdbOnly: readonly TimestreamLimit[];
  readonly hasBucket: boolean;
  /** Of the calls to the queue, the bucket and Lambda. */
  readonly services: readonly ServiceStep[];
  readonly deadlineMs: number;
  readonly jitter: number;
}

/** Time of the function for an event, ms. */
const TIMEOUT_MS = 30_000;
/** Delays of Lambda before its attempts, ms. */
const ATTEMPTS_MS = [0, 60_000, 120_000];
export const START = 1_700_000_000_000;

/** The invocation that makes the call. One store for all worlds: Node.js updates every store for every promise. */
const current = new AsyncLocalStorage<Invocation>();

export class World {
  readonly clock = new VirtualClock();
  readonly timestream: ScheduledTimestream;
  readonly influxdb: ScheduledInfluxDB;
  /** The dead-letter queue. */
  readonly queue: DeadLetter[] = [];
  /** Messages that a replay cannot store. */
  readonly parked: DeadLetter[] = [];
  readonly invocations: Invocation[] = [];
  readonly violations: string[] = [];
  private readonly handlers = new Map<Mode, ReturnType<typeof createHandler>>();
  private readonly events: Promise<void>[] = [];
  private readonly timing;
  private serviceCalls = 0;
  private isHealed = false;

  constructor(readonly given: WorldOptions) {
    this.timestream = new ScheduledTimestream(given.timestream, this.clock);
    this.influxdb = new ScheduledInfluxDB(given.influxdb, this.clock, this.violations);
    this.timing = { clock: this.clock, random: () => given.jitter };
  }

  get mode(): Mode {
    const [toBoth, toInfluxDB] = this.given.changes ?? [0, Number.POSITIVE_INFINITY];
    const now = this.clock.now();
    return now < toBoth ? 'timestream' : now < toInfluxDB ? 'both' : 'influxdb';
  }

  /** Calls the function. */
  async invoke(event: WriteEvent): Promise<{ response: HttpResponse | undefined; invocation: Invocation }> {
    const invocation = new Invocation(this.mode, this.clock.now(), this.violations);
    this.invocations.push(invocation);
    const context = { getRemainingTimeInMillis: () => TIMEOUT_MS - (this.clock.now() - invocation.started) };
    const handler = this.handlerFor(invocation.mode);
    try {
      const copy = JSON.parse(JSON.stringify(event)) as WriteEvent;
      return { response: await current.run(invocation, () => handler(copy, context)), invocation };
    } finally {
      invocation.noteEnd();
      const limit = event.asynchronous === true ? TIMEOUT_MS - 1_000 : this.given.deadlineMs;
      const took = this.clock.now() - invocation.started;
      // Sums of times in floating point.
      if (took > limit + 0.001) this.violations.push(`the invocation took ${took} ms, its deadline was ${limit} ms`);
    }
  }

  /** Waits until no event is left. */
  async finishEvents(): Promise<void> {
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) await event;
  }

  /** Ends all faults. */
  heal(): void {
    this.isHealed = true;
    this.influxdb.isHealed = true;
  }

  /** Replays each message that is in the queue now, as the redrive does. */
  async redrive(): Promise<void> {
    for (const message of this.queue.splice(0)) {
      try {
        await this.invoke(message);
      } catch (error) {
        const isPermanent = error instanceof Error && error.name === 'ConfigurationError';
        (isPermanent ? this.parked : this.queue).push(message);
      }
    }
  }

  private handlerFor(mode: Mode): ReturnType<typeof createHandler> {
    const known = this.handlers.get(mode);
    if (known !== undefined) return known;
    const { given, clock } = this;
    const isOptional = mode === 'both' && !given.secondaryRequired;
    const config = loadConnectorConfig({
      destination: mode,
      INFLUXDB_URL: 'http://influxdb',
      INFLUXDB_TOKEN: 'token',
      INFLUXDB_ENGINE: given.influxdb.engine,
      secondary_required: String(!isOptional),
      influxdb_only_lines: given.influxdbOnly.join(',') || 'none',
      write_deadline_millis: String(given.deadlineMs),
      dead_letter_queue_url: 'https://queue',
      AWS_LAMBDA_FUNCTION_NAME: 'connector',
      enable_async_invocation: String(given.asynchronous),
      ...(given.hasBucket && { rejected_lines_bucket: 'bucket' }),
    });
    const noteWrite = (message: string, fields: LogFields = {}): void => {
      const invocation = current.getStore();
      if (message === 'write' && invocation !== undefined) invocation.log = fields;
      if (message === 'unexpected failure') this.violations.push(String(fields.error));
    };
    const logger = {
      debug: noteWrite,
      info: noteWrite,
      warn: noteWrite,
      error: noteWrite,
      addContext: () => undefined,
      appendKeys: () => undefined,
    };
    const handler = createHandler(
      {
        config,
        logger: logger as FunctionLogger,
        destinations: this.destinations(mode, config, logger as FunctionLogger),
        invokeSelf: (event, signal) => this.service('Lambda', signal, () => this.events.push(this.runEvent(event))),
        sendDeadLetter: (message, signal) =>
          this.service('the queue', signal, (invocation) => {
            this.queue.push(message);
            invocation.kept.push(message);
          }),
        storeRejected: async ({ key, body }, signal) => {
          await this.service('the bucket', signal, (invocation) => invocation.keptInBucket.push(...linesIn(body)));
          return `s3://bucket/${key}`;
        },
      },
      clock,
    );
    this.handlers.set(mode, handler);
    return handler;
  }

  private destinations(
    mode: Mode,
    config: ReturnType<typeof loadConnectorConfig>,
    logger: FunctionLogger,
  ): Destination[] {
    const { timing, timestream, influxdb, clock } = this;
    const check = () => Promise.resolve();
    const destinations: Destination[] = [];
    if (mode !== 'influxdb') {
      const tables = new TableCreator(config.tables, timestream, clock, undefined, () => clock.now());
      destinations.push(timestreamDestination(config, { send: this.send, tables, check }, timing));
    }
    if (config.influxdb !== undefined) {
      const client = new InfluxClient(config.influxdb.target, influxdb.tokens, { gzipLevel: 0 }, this.transport);
      destinations.push(influxdbDestination(config.influxdb, config.bounds, client, logger, timing));
    }
    return destinations;
  }

  private readonly send: SendWriteRecords = (body, signal) => {
    const invocation = this.invocation();
    return invocation.call('Timestream', async () => {
      this.timestream.outage = this.isHealed ? 'carry out' : this.outageOf('timestream');
      const response = await this.timestream.send(body, signal);
      const { records } = expandCall(body);
      if (response.status !== 200 && response.status !== 419) return response;
      const { RejectedRecords = [] } = JSON.parse(response.body.toString()) as {
        RejectedRecords?: { RecordIndex: number }[];
      };
      const rejected = new Set(RejectedRecords.map(({ RecordIndex }) => RecordIndex));
      for (const [index, record] of records.entries()) {
        if (!rejected.has(index)) invocation.stored.timestream.add(storedRecord(record));
      }
      return response;
    });
  };

  private readonly transport: Pick<InfluxTransport, 'exchange' | 'close'> = {
    exchange: (request) => {
      const invocation = this.invocation();
      return invocation.call('InfluxDB', () => {
        this.influxdb.outage = this.outageOf('influxdb');
        return this.influxdb.exchange(
          request,
          (n) => invocation.forInfluxDB.add(n),
          (point) => invocation.stored.influxdb.add(point),
        );
      });
    },
    close: () => undefined,
  };

  private service(what: string, signal: AbortSignal, carryOut: (invocation: Invocation) => void): Promise<void> {
    const invocation = this.invocation();
    return invocation.call(what, async () => {
      const step = this.isHealed ? 'carry out' : (this.given.services[this.serviceCalls++] ?? 'carry out');
      await this.clock.delay(step === 'hang' ? 1e9 : 10, signal);
      if (signal.aborted) throw new Error('aborted');
      if (step === 'fail') throw new Error(`${what} failed`);
      if (step === 'throttle') throw Object.assign(new Error('Rate exceeded'), { name: 'TooManyRequestsException' });
      carryOut(invocation);
      if (step === 'lose after') throw new Error('read ECONNRESET');
    });
  }

  private async runEvent(event: WriteEvent): Promise<void> {
    for (const ms of ATTEMPTS_MS) {
      // Outside of the invocation that sent it.
      await current.exit(() => this.clock.delay(ms));
      try {
        return void (await current.exit(() => this.invoke(event)));
      } catch {
        // Lambda tries again.
      }
    }
    this.queue.push(event);
  }

  private invocation(): Invocation {
    const invocation = current.getStore();
    assert.ok(invocation, 'a call outside of an invocation');
    return invocation;
  }

  private outageOf(destination: 'influxdb'): InfluxStep | undefined;
  private outageOf(destination: 'timestream'): Step | undefined;
  private outageOf(destination: DestinationName): InfluxStep | Step | undefined {
    const now = this.clock.now();
    return this.given.outages.find(({ of, from, ms }) => of === destination && now >= from && now < from + ms)?.step;
  }
}
