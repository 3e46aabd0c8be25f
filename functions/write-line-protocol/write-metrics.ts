/** The totals of a write, for the metrics of the connector. */
import type { ConnectorMetrics } from 'shared/connector-metrics';
import type { LineReport } from 'shared/line-report';
import type { DestinationResult } from './destination';

/**
 * Records what a request did in one destination.
 * @param bytes size of the body after decompression
 * @param milliseconds duration of the request
 */
export function recordResult(
  metrics: ConnectorMetrics,
  { destination, calls, stored, superseded, unstored, tables, ...result }: DestinationResult,
  { rejectedLines, faultyLines }: Pick<LineReport, 'rejectedLines' | 'faultyLines'>,
  bytes: number,
  milliseconds: number,
): void {
  const { throttledCalls, newTables = 0 } = result;
  const totals = {
    pointsStored: stored,
    pointsSuperseded: superseded,
    pointsUnstored: unstored,
    rejectedLines,
    faultyLines,
    calls,
    throttledCalls,
    newTables,
    requestBytes: bytes,
    duration: milliseconds,
  };
  metrics.record(destination, totals, tables);
}
