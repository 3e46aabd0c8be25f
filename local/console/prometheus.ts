/** The metrics of the connector and of its process in the format of Prometheus, under the names that they have in CloudWatch. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import {
  CONNECTOR_METRICS,
  type ConnectorMetric,
  type ConnectorMetrics,
  type ConnectorTotals,
  type MetricDefinition,
} from 'shared/connector-metrics';

const PREFIX = 'connector_';
const LABELS = ['destination'] as const;
type Label = (typeof LABELS)[number];

/** Upper bounds of the buckets of the distributions, in the unit of the metric. */
const BUCKETS: Readonly<Record<string, readonly number[]>> = {
  Bytes: [1e3, 1e4, 1e5, 1e6, 1e7],
  Milliseconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
};

/**
 * The name in Prometheus, with base units and suffixes. Source: "Metric and label naming" in the documentation of Prometheus.
 * For example `connector_points_stored_total` for PointsStored, `connector_duration_seconds` for Duration.
 */
export function prometheusName({ name, unit, kind }: MetricDefinition): string {
  const snake = name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
  const suffix = { Count: '', Bytes: '_bytes', Milliseconds: '_seconds' }[unit];
  return `${PREFIX}${snake.endsWith(suffix) ? snake : snake + suffix}${kind === 'counter' ? '_total' : ''}`;
}

export class PrometheusMetrics implements ConnectorMetrics {
  private readonly registry = new Registry();
  private readonly adders: readonly [ConnectorMetric, (destination: string, value: number) => void][];

  /** @param destinations that the connector stores points in; their counters start at 0 */
  constructor(destinations: readonly string[]) {
    collectDefaultMetrics({ register: this.registry });
    const metrics = Object.entries(CONNECTOR_METRICS) as [ConnectorMetric, MetricDefinition][];
    this.adders = metrics.map(([key, metric]) => [key, this.adder(metric, destinations)]);
  }

  record(destination: string, totals: ConnectorTotals): void {
    for (const [key, add] of this.adders) add(destination, totals[key]);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private adder(
    metric: MetricDefinition,
    destinations: readonly string[],
  ): (destination: string, value: number) => void {
    const common = {
      name: prometheusName(metric),
      help: metric.meaning,
      labelNames: LABELS,
      registers: [this.registry],
    };
    if (metric.kind === 'counter') {
      const counter = new Counter<Label>(common);
      for (const destination of destinations) counter.inc({ destination }, 0);
      return (destination, value) => {
        if (value > 0) counter.inc({ destination }, value);
      };
    }
    const histogram = new Histogram<Label>({ ...common, buckets: [...(BUCKETS[metric.unit] ?? [])] });
    const divisor = metric.unit === 'Milliseconds' ? 1_000 : 1;
    return (destination, value) => histogram.observe({ destination }, value / divisor);
  }
}
