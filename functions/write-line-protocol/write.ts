/** Stores the lines of one write request in the destinations and returns the outcome. */
import type { ConnectorConfig } from 'shared/config';
import type { ConnectorMetrics } from 'shared/connector-metrics';
import { ConfigurationError } from 'shared/errors';
import { type Precision, V1_PRECISIONS, V2_PRECISIONS } from 'shared/line-protocol/precision';
import type { LineReport } from 'shared/line-report';
import type { LogFields, Logger } from 'shared/logger';
import { NO_TRACER, type Tracer } from 'shared/tracing';
import { ApiError } from './api-error';
import type { DeadLetter } from './dead-letters';
import type { Destination, DestinationResult, RequestLines, RequestResult, Store } from './destination';
import type { OnRejected } from './rejected-lines';
import { isOptional, Reports } from './reports';
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
  const reports = new Reports(destinations, config, body, onRejected);
  const lines = { request, body, precision, leftOut: reports.leftOut };
  const stores = await tracer.trace('decode', async () => prepareAll(destinations, lines, reports, config));
  const storeIn = async (store: Store, index: number) => {
    // The first one has its own limits behind it: the lines that it refuses are known, and the second one leaves them out.
    if (index > 0) reports.divide();
    const isSpare = isOptional(index, config);
    const outcome = await store(isSpare ? deadline.early : deadline.signal);
    const own: DestinationResult = { ...outcome, destination: destinations[index].name };
    // Kept at once, because the other destination may need all the time.
    if (!isSpare) return { own, result: own };
    return { own, result: await keepUnstored(own, reports.optional, request, body, services, deadline.signal) };
  };
  const outcomes = await allOf(stores.map(storeIn));
  const results = outcomes.map(({ result }) => result);
  const [first, second] = results;
  const result = reports.resultOf(results);
  const milliseconds = performance.now() - started;
  logger[results.every(({ unstored }) => unstored === 0) ? 'info' : 'warn']('write', {
    bytes: body.length,
    destination: second === undefined ? first.destination : config.destination,
    ...(second === undefined ? totalsOf(first) : totalsOfBoth(result, reports.all, config)),
    faultyLines: result.faultyLines,
    rejectedLines: result.rejectedLines,
    milliseconds: Math.round(milliseconds),
  });
  for (const [index, { own }] of outcomes.entries()) {
    if (metrics !== undefined) recordResult(metrics, own, reports.all[index], body.length, milliseconds);
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

/** With two destinations: the totals of both together, and of each. Each point counts once in its totals. */
function totalsOfBoth(
  { results, stored, unstored }: RequestResult,
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
    stored,
    unstored,
    destinations: Object.fromEntries(totals),
  };
}
