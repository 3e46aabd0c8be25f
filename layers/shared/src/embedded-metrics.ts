/** Writes the connector's metrics to the log in CloudWatch's embedded metric format: CloudWatch Logs extracts them, so no call is made. */
import { Metrics } from '@aws-lambda-powertools/metrics';
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
  /** Whether each table gets metrics of its own. */
  readonly perTable: boolean;
  readonly logLevel: LogLevel;
}

const ALL = Object.keys(CONNECTOR_METRICS) as ConnectorMetric[];

/** One line per request and destination, and with `perTable` one more for each table. Lines go to stdout. */
export function embeddedMetrics({ namespace, service, perTable, logLevel }: EmbeddedMetricsSettings): ConnectorMetrics {
  const metrics = new Metrics({ namespace, serviceName: service });
  const write = <Metric extends ConnectorMetric>(
    dimensions: Readonly<Record<string, string>>,
    names: readonly Metric[],
    totals: Readonly<Record<Metric, number>>,
  ): void => {
    metrics.addDimensions(dimensions);
    for (const each of names)
      metrics.addMetric(CONNECTOR_METRICS[each].name, CONNECTOR_METRICS[each].unit, totals[each]);
    // Lambda takes a line without level and timestamp for INFO, and drops it if the function logs warnings only.
    if (logLevel === 'WARN' || logLevel === 'ERROR') {
      metrics.addMetadata('level', logLevel);
      metrics.addMetadata('timestamp', new Date().toISOString());
    }
    metrics.publishStoredMetrics();
  };
  return {
    perTable,
    record(destination, totals, tables) {
      const dimensions = { [CONNECTOR_DIMENSIONS.destination]: destination };
      write(dimensions, ALL, totals);
      if (!perTable) return;
      for (const [table, counts] of tables ?? []) {
        write({ ...dimensions, [CONNECTOR_DIMENSIONS.table]: table }, TABLE_METRICS, counts);
      }
    },
  };
}
