/** The metrics of the connector: their names, units and meanings. Each request adds one value of each, for each destination. */

export interface MetricDefinition {
  readonly name: string;
  /** Source: MetricDatum in the CloudWatch API reference. */
  readonly unit: 'Count' | 'Bytes' | 'Milliseconds';
  /** A counter is summed over requests; a distribution is read as average or percentile. */
  readonly kind: 'counter' | 'distribution';
  readonly meaning: string;
}

export const CONNECTOR_METRICS = {
  pointsStored: {
    name: 'PointsStored',
    unit: 'Count',
    kind: 'counter',
    meaning: 'points that the destination stored, including superseded ones',
  },
  pointsSuperseded: {
    name: 'PointsSuperseded',
    unit: 'Count',
    kind: 'counter',
    meaning: 'points that a newer request had already replaced; counted as stored too',
  },
  pointsUnstored: {
    name: 'PointsUnstored',
    unit: 'Count',
    kind: 'counter',
    meaning: 'valid points that were not stored: the response is 429 or 503, and the client sends them again',
  },
  rejectedLines: {
    name: 'RejectedLines',
    unit: 'Count',
    kind: 'counter',
    meaning: 'lines with a point that the destination cannot store (422)',
  },
  faultyLines: {
    name: 'FaultyLines',
    unit: 'Count',
    kind: 'counter',
    meaning: 'lines that are not valid line protocol (400)',
  },
  calls: {
    name: 'Calls',
    unit: 'Count',
    kind: 'counter',
    meaning: 'write calls to the destination, with retries',
  },
  throttledCalls: {
    name: 'ThrottledCalls',
    unit: 'Count',
    kind: 'counter',
    meaning: 'write calls that the destination throttled',
  },
  newTables: {
    name: 'NewTables',
    unit: 'Count',
    kind: 'counter',
    meaning: 'missing tables that were created for the request',
  },
  requestBytes: {
    name: 'RequestBytes',
    unit: 'Bytes',
    kind: 'distribution',
    meaning: 'size of the body after decompression',
  },
  duration: {
    name: 'Duration',
    unit: 'Milliseconds',
    kind: 'distribution',
    meaning: 'time from reading the body until the outcome of each point was known',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type ConnectorMetric = keyof typeof CONNECTOR_METRICS;

/** What one request did in one destination: a value for each metric. */
export type ConnectorTotals = Readonly<Record<ConnectorMetric, number>>;

/** The metrics that are known for each table: those of calls. A line that is refused earlier may have no table. */
export const TABLE_METRICS = [
  'pointsStored',
  'pointsSuperseded',
  'pointsUnstored',
  'calls',
  'throttledCalls',
] as const satisfies readonly ConnectorMetric[];

/** What one request did in one table. */
export type TableTotals = Readonly<Record<(typeof TABLE_METRICS)[number], number>>;

/** The dimensions of the metrics; `table` only where metrics for each table are enabled. */
export const CONNECTOR_DIMENSIONS = { service: 'service', destination: 'destination', table: 'table' } as const;

/** Receives the totals of each request. */
export interface ConnectorMetrics {
  /** Whether `record` uses the totals of tables. */
  readonly perTable: boolean;
  /** @param tables totals by the name of the table; undefined if they are not known */
  record(destination: string, totals: ConnectorTotals, tables?: ReadonlyMap<string, TableTotals>): void;
}
