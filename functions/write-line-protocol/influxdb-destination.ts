/** Stores lines in InfluxDB, as they are. */
import type { RequestBounds } from 'shared/config';
import type { InfluxDBDestination } from 'shared/destination-config';
import { ConfigurationError } from 'shared/errors';
import type { InfluxClient } from 'shared/influxdb/client';
import { checkWritable } from 'shared/influxdb/health';
import type { WriteOutcome } from 'shared/influxdb/outcome';
import type { Engine } from 'shared/influxdb/protocol';
import { batchLines, writtenPrecision } from 'shared/influxdb/request-lines';
import { type BatchesOutcome, destinationBreaker, writeLineBatches } from 'shared/influxdb/request-writer';
import type { Logger } from 'shared/logger';
import type { Timing } from 'shared/resilience/clock';
import { ApiError } from './api-error';
import { type Destination, type StoreOutcome, UnwritableError } from './destination';
import { adviceOf, UNUSABLE, unwritableCause } from './influxdb-cause';
import { placeOf } from './influxdb-place';
import type { HttpRequest } from './request';

/** Maximum lines of a batch. Source: InfluxDB's advice for writes, 5,000 lines for version 2 and 10,000 for version 3. */
const BATCH_LINES: Readonly<Record<Engine, number>> = { v2: 5_000, v3: 10_000 };
const BATCH_BYTES = 4 * 1024 * 1024;

export function influxdbDestination(
  config: InfluxDBDestination,
  { maxLineBytes }: Pick<RequestBounds, 'maxLineBytes'>,
  client: InfluxClient,
  logger: Logger,
  timing: Timing = {},
): Destination {
  const breaker = destinationBreaker(timing);
  const namesFromRequests = config.buckets.kind !== 'configured' || config.orgs.kind !== 'configured';
  return {
    name: 'influxdb',
    prepare({ request, body, precision, leftOut }, report) {
      const place = placeOf(request, config);
      const unit = writtenPrecision(precision);
      return async (signal) => {
        const limits = { maxLineBytes, batchLines: BATCH_LINES[config.target.engine], batchBytes: BATCH_BYTES };
        const batches = batchLines(body, { precision, requestTime: request.time, ...limits, leftOut }, report);
        const writer = { client: client.for(place, unit), body, precision: unit, breaker, logger, ...timing };
        const points = batches.reduce((sum, { places }) => sum + places.length, 0);
        const outcome = await writeLineBatches(batches, writer, report, signal);
        return storeOutcome(points, outcome, request, config);
      };
    },
    check: async (signal) => {
      const outcome = await checkWritable(client, !namesFromRequests, signal).catch((error: unknown) => {
        // The token cannot be read.
        throw error instanceof ConfigurationError ? new UnwritableError(UNUSABLE, error) : error;
      });
      if (outcome.kind !== 'written') throw new UnwritableError(unwritableCause(outcome), reasonOf(outcome));
    },
  };
}

function storeOutcome(
  points: number,
  { calls, throttledCalls, stored, unstored, failure }: BatchesOutcome,
  request: HttpRequest,
  config: InfluxDBDestination,
): StoreOutcome {
  const { buckets, orgs } = config;
  const { kind, reason, retryAfterMs, missing } = failure ?? {};
  // The client chose the name, and InfluxDB would respond to it in the same way. All other names are the operator's.
  const isClientsName = missing !== undefined && { org: orgs, bucket: buckets }[missing].kind === 'passthrough';
  return {
    points,
    calls,
    throttledCalls,
    stored,
    superseded: 0,
    unstored: unstored.length,
    throttled: kind === 'throttled',
    unstoredReason: reason,
    advice: failure === undefined ? '' : adviceOf(failure, request, config),
    unstoredLines: unstored,
    retryAfter: retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1_000),
    refusal: isClientsName ? new ApiError(404, 'not found', NOT_FOUND) : undefined,
  };
}

const NOT_FOUND = 'InfluxDB has no organization or bucket of this name';

/** For the log: it may have texts of InfluxDB. */
const reasonOf = (outcome: Exclude<WriteOutcome, { kind: 'written' }>): string | undefined =>
  'reason' in outcome ? outcome.reason : outcome.rejections[0]?.reason;
