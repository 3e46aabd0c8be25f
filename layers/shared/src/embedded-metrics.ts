/**
 * Writes the connector's metrics to the log in CloudWatch's embedded metric format: CloudWatch Logs extracts them, so no call is made.
 * Source: "Specification: Embedded metric format" in the CloudWatch user guide. docs/adr/embedded-metrics.md says why there is no library.
 */
import {
  CONNECTOR_DIMENSIONS,
  CONNECTOR_METRICS,
  type ConnectorMetric,
  type ConnectorMetrics,
  TABLE_METRICS,
} from './connector-metrics';
import type { LogLevel } from './logger';

export interface EmbeddedMetricsSettings {
  readonly namespace: string;
  /** Value of the dimension `service`. */
  readonly service: string;
  readonly logLevel: LogLevel;
}

const ALL = Object.keys(CONNECTOR_METRICS) as ConnectorMetric[];

/** One line per request and destination, and one more for each given table. Lines go to stdout. */
export function embeddedMetrics({ namespace, service, logLevel }: EmbeddedMetricsSettings): ConnectorMetrics {
  const write = <Metric extends ConnectorMetric>(
    dimensions: Readonly<Record<string, string>>,
    metrics: readonly Metric[],
    totals: Readonly<Record<Metric, number>>,
  ): void => {
    const now = new Date();
    const directive = {
      Namespace: namespace,
      Dimensions: [Object.keys(dimensions)],
      Metrics: metrics.map((metric) => ({
        Name: CONNECTOR_METRICS[metric].name,
        Unit: CONNECTOR_METRICS[metric].unit,
      })),
    };
    const document = {
      _aws: { Timestamp: now.getTime(), CloudWatchMetrics: [directive] },
      ...dimensions,
      ...Object.fromEntries(metrics.map((metric) => [CONNECTOR_METRICS[metric].name, totals[metric]])),
      // Lambda takes a line without level and timestamp for INFO, and drops it if the function logs warnings only.
      ...((logLevel === 'WARN' || logLevel === 'ERROR') && { level: logLevel, timestamp: now.toISOString() }),
    };
    // Not the console, which adds level and request id of its own to each line.
    process.stdout.write(`${JSON.stringify(document)}\n`);
  };
  return {
    record(destination, totals, tables) {
      const dimensions = { [CONNECTOR_DIMENSIONS.service]: service, [CONNECTOR_DIMENSIONS.destination]: destination };
      write(dimensions, ALL, totals);
      for (const [table, counts] of tables ?? []) {
        write({ ...dimensions, [CONNECTOR_DIMENSIONS.table]: table }, TABLE_METRICS, counts);
      }
    },
  };
}
