/** Stores the lines of one write request in the destinations and returns the outcome. */
import type { ConnectorConfig } from 'shared/config';
import type { ConnectorMetrics } from 'shared/connector-metrics';
import type { DestinationName } from 'shared/destination-config';
import { ConfigurationError } from 'shared/errors';
import { type Precision, V1_PRECISIONS, V2_PRECISIONS } from 'shared/line-protocol/precision';
import { firstReasons, type LineReason, LineReport } from 'shared/line-report';
import type { LogFields, Logger } from 'shared/logger';
import { NO_TRACER, type Tracer } from 'shared/tracing';
import { ApiError } from './api-error';
import type { DeadLetter } from './dead-letters';
import type { Destination, DestinationResult, RequestLines, RequestResult, Store } from './destination';
import type { OnRejected, RejectedLine } from './rejected-lines';
import { type HttpRequest, readBody } from './request';
import { keepUnstored, prepareOptional } from './secondary';
import { recordResult } from './write-metrics';

export interface WriteServices {
  readonly config: ConnectorConfig;
  /** One, or two: then the second gets the lines that the first does not refuse. */
  readonly destinations: readonly Destination[];
  readonly logger: Logger;
  /** Receives the totals of each write; undefined for no metrics. */
  readonly metrics?: ConnectorMetrics | undefined;
  readonly tracer?: Tracer;
  /** Called with the result of each request, the reports of its destinations, and its decompressed body. The local server shows them. */
  readonly onResult?: (result: RequestResult, reports: readonly LineReport[], body: Buffer) => void;
  /** Puts a message into the dead-letter queue. Ends when the signal aborts. */
  readonly sendDeadLetter: (message: DeadLetter, signal: AbortSignal) => Promise<unknown>;
}

/** The end of a request. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Aborts earlier, so that what is not stored by then can be kept elsewhere. */
  readonly early: AbortSignal;
}

/**
 * The precision of the request's timestamps.
 * @throws ApiError 400 for a precision that the API version of the path does not have
 */
export function requestPrecision({ path, query }: Pick<HttpRequest, 'path' | 'query'>): Precision {
  const v1 = path === '/write';
  const name = query.get('precision') ?? 'ns';
  const precision = (v1 ? V1_PRECISIONS : V2_PRECISIONS).get(name === '' ? 'ns' : name);
  if (precision !== undefined) return precision;
  const units = v1 ? 'n, ns, u, us, ms, s, m, and h' : 'ns, us, ms, and s';
  throw new ApiError(400, 'invalid', `invalid precision; valid precision units are ${units}`);
}

/**
 * Stores the points of the request, until the deadline. When it returns, the outcome of every point is known.
 * @param onRejected called with every line that is not stored in each required destination, as it is found
 * @throws ApiError, RequestTooLargeError if the request cannot be read
 * @throws ConfigurationError if the request is for a destination that is not configured
 */
export async function writeLines(
  request: HttpRequest,
  services: WriteServices,
  deadline: Deadline,
  onRejected?: OnRejected,
): Promise<RequestResult> {
  const started = performance.now();
  const { config, logger, metrics, tracer = NO_TRACER } = services;
  const precision = requestPrecision(request);
  const destinations = destinationsOf(request, services);
  const body = await readBody(request, config.bounds);
  const reports = reportsOf(destinations, config, body, onRejected);
  const lines = { request, body, precision, leftOut: reports.leftOut };
  const stores = await tracer.trace('decode', async () => prepareAll(destinations, lines, reports, config));
  const outcomes = await allOf(
    stores.map((store, index) => {
      // The first one has its own limits behind it: the lines that it refuses are known, and the second one leaves them out.
      if (index > 0) reports.divide();
      return store(isOptional(index, config) ? deadline.early : deadline.signal);
    }),
  );
  const settled = outcomes.map((outcome, index) => ({ ...outcome, destination: destinations[index].name }));
  const [first, second] = settled;
  const results: DestinationResult[] = [...settled];
  if (second !== undefined && isOptional(1, config)) {
    results[1] = await keepUnstored(second, reports.optional, request, body, services, deadline.signal);
  }
  const result = resultOf(results, reports.all, config);
  const milliseconds = performance.now() - started;
  logger[results.every(({ unstored }) => unstored === 0) ? 'info' : 'warn']('write', {
    bytes: body.length,
    destination: second === undefined ? first.destination : config.destination,
    ...(second === undefined ? totalsOf(first) : totalsOfBoth(results, reports.all, config)),
    faultyLines: result.faultyLines,
    rejectedLines: result.rejectedLines,
    milliseconds: Math.round(milliseconds),
  });
  for (const [index, each] of settled.entries()) {
    if (metrics !== undefined) recordResult(metrics, each, reports.all[index], body.length, milliseconds);
  }
  services.onResult?.(result, reports.all, body);
  return result;
}

/** @throws ApiError, RequestTooLargeError for a request that a required destination does not accept */
function prepareAll(
  destinations: readonly Destination[],
  lines: RequestLines,
  { all }: Reports,
  config: ConnectorConfig,
): Store[] {
  const stores: Store[] = [];
  // The last one first: InfluxDB only reads the names in the request, and what it refuses need not be decoded for Timestream.
  for (const [index, destination] of [...destinations.entries()].reverse()) {
    const report = all[index];
    stores.unshift(
      isOptional(index, config) ? prepareOptional(destination, lines, report) : destination.prepare(lines, report),
    );
  }
  return stores;
}

/** As Promise.all, but if one fails, the others end first: no work continues after the response. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

/** The destinations of a request: all, or the one that it names. */
function destinationsOf({ destination }: HttpRequest, { config, destinations }: WriteServices): readonly Destination[] {
  if (destination === undefined) return destinations;
  const named = destinations.filter(({ name }) => name === destination);
  if (named.length > 0) return named;
  throw new ConfigurationError([`Destination is ${config.destination}, but the event is for ${destination} alone`]);
}

/** Whether the request counts as stored without this destination. */
const isOptional = (index: number, { secondaryRequired }: ConnectorConfig): boolean => index > 0 && !secondaryRequired;

interface Reports {
  /** One for each destination. */
  readonly all: readonly LineReport[];
  /** The starts of the lines that the first destination refused, for the second one to leave out. */
  readonly leftOut: ReadonlySet<number>;
  /** The lines that an optional destination rejected. */
  readonly optional: readonly LineReason[];
  /** Called before the second destination stores its lines: it has the lines that the first one rejects from now on. */
  readonly divide: () => void;
}

function reportsOf(
  destinations: readonly Destination[],
  config: ConnectorConfig,
  body: Buffer,
  onRejected: OnRejected | undefined,
): Reports {
  if (destinations.length === 1) {
    const [{ name }] = destinations;
    const onLine = onRejected && ((line: LineReason) => onRejected(withText(line, body, name), undefined));
    return { all: [new LineReport({ onLine })], leftOut: new Set(), optional: [], divide: () => undefined };
  }
  const leftOut = new Set<number>();
  const optional: LineReason[] = [];
  let isDivided = false;
  const all = destinations.map(({ name }, index) => {
    const onLine = (line: LineReason): void => {
      if (!isDivided && line.kind !== 'elsewhere') leftOut.add(line.start);
      if (isOptional(index, config)) optional.push(line);
      else onRejected?.(withText(line, body, name), isDivided ? name : undefined);
    };
    const elsewhere = name === 'timestream' ? config.influxdbOnly : undefined;
    return new LineReport({ prefix: `${name}: `, onLine, elsewhere, countsFaulty: index === 0 });
  });
  const divide = (): void => {
    isDivided = true;
  };
  return { all, leftOut, optional, divide };
}

function resultOf(
  results: readonly DestinationResult[],
  reports: readonly LineReport[],
  config: ConnectorConfig,
): RequestResult {
  const required = reports.filter((_, index) => !isOptional(index, config));
  const sum = (count: (report: LineReport) => number): number =>
    required.reduce((total, report) => total + count(report), 0);
  return {
    results,
    faultyLines: sum(({ faultyLines }) => faultyLines),
    rejectedLines: sum(({ rejectedLines }) => rejectedLines),
    influxdbOnlyLines: sum(({ elsewhereLines }) => elsewhereLines),
    reasons: firstReasons(required),
  };
}

/** The fields of the log entry for one destination. */
function totalsOf({
  destination,
  advice,
  tables,
  unstoredLines,
  refusal,
  retryAfter,
  ...totals
}: DestinationResult): LogFields {
  return totals;
}

/** With two destinations: the points that both have stored or one has not, and the totals of each. Each point counts once in its totals. */
function totalsOfBoth(
  results: readonly DestinationResult[],
  reports: readonly LineReport[],
  config: ConnectorConfig,
): LogFields {
  const totals = results.map((result, index) => {
    const { rejectedLines, unparsableLines } = reports[index];
    // The lines that an optional destination rejects are kept.
    const rejected = isOptional(index, config) ? {} : { rejectedLines: rejectedLines + unparsableLines };
    return [result.destination, { ...totalsOf(result), ...rejected }];
  });
  return {
    stored: Math.min(...results.map(({ stored }) => stored)),
    unstored: Math.max(...results.map(({ unstored }) => unstored)),
    destinations: Object.fromEntries(totals),
  };
}

function withText({ line, start, end, reason, kind }: LineReason, body: Buffer, name: DestinationName): RejectedLine {
  const text = body
    .subarray(start, end)
    .toString()
    .replace(/\r?\n$/, '');
  return { line, reason, text, kind, destination: kind === 'faulty' ? undefined : name };
}
