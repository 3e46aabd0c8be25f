/** The totals of a write, for the metrics of the connector. */
import type { ConnectorMetrics } from 'shared/connector-metrics';
import type { DestinationName } from 'shared/destination-config';
import type { LineReport } from 'shared/line-report';
import type { StoreOutcome } from './destination';

/**
 * Records what a request did in one destination. Points that are kept in the dead-letter queue for it are not stored.
 * @param request size of the body after decompression, and duration of the request
 */
export function recordOutcome(
  metrics: ConnectorMetrics,
  destination: DestinationName,
  { calls, throttledCalls, newTables = 0, stored, superseded, unstored, tables }: StoreOutcome,
  { rejectedLines, faultyLines }: Pick<LineReport, 'rejectedLines' | 'faultyLines'>,
  request: { readonly bytes: number; readonly milliseconds: number },
): void {
  const totals = {
    pointsStored: stored,
    pointsSuperseded: superseded,
    pointsUnstored: unstored,
    rejectedLines,
    faultyLines,
    calls,
    throttledCalls,
    newTables,
    requestBytes: request.bytes,
    duration: request.milliseconds,
  };
  metrics.record(destination, totals, tables);
}
