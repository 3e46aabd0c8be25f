/** docs/console.md lists the metrics for Prometheus under the names that the server has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONNECTOR_METRICS, type MetricDefinition } from 'shared/connector-metrics';
import { prometheusName } from '../../../local/console/prometheus';

test('the table of metrics has each metric of CloudWatch once, with its name in Prometheus', () => {
  const page = readFileSync(join(__dirname, '../../../docs/console.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(connector_\w+)`( \(histogram\))? \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  expect(rows).toEqual(
    Object.values<MetricDefinition>(CONNECTOR_METRICS).map((metric) => [
      metric.name,
      prometheusName(metric),
      metric.kind === 'distribution' ? ' (histogram)' : undefined,
    ]),
  );
});
