/** The dashboard and the alarms: what they show exists, and the documentation lists the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONNECTOR_METRICS, TABLE_METRICS } from 'shared/connector-metrics';
import { dashboardProblems, type Widget } from '../../support/dashboard-body';
import { documentedMetrics, emittedMetrics, type KnownMetric } from '../../support/known-metrics';
import { anchorsIn } from '../docs/anchors';
import { byType, type Fields, LOADER, MIGRATION, type Overrides, resourcesWith, template } from './template';

const OPERATIONS = readFileSync(join(__dirname, '../../../docs/operations.md'), 'utf8');
const NAMESPACE = 'Mine/Metrics';
const TOPIC = 'arn:aws:sns:us-east-1:123456789012:operators';
const WATCHED = { AlarmTopicArn: TOPIC, CreateDashboard: 'true', MetricsNamespace: NAMESPACE };
const EVERYTHING = { ...MIGRATION, ...WATCHED, Destination: 'both' };

type Used = Pick<KnownMetric, 'namespace' | 'name' | 'dimensions'>;

const alarmsWith = (parameters: Overrides): [string, Fields][] =>
  byType(resourcesWith(parameters), 'AWS::CloudWatch::Alarm').map(([name, { Properties }]) => [name, Properties]);

const bodyWith = (parameters: Overrides): string =>
  String(resourcesWith(parameters).Dashboard?.Properties.DashboardBody);
const widgetsWith = (parameters: Overrides): Widget[] => JSON.parse(bodyWith(parameters)).widgets;

/** The metrics of `SEARCH('{namespace,dimension,...} ... MetricName=("A" OR "B")', 'Sum', 300)`. */
function searched(expression: string): Used[] {
  const [, schema = '', names = ''] =
    /^SEARCH\('\{([^}]+)\} (?:\w+="[^"]+" )?MetricName=(\(.+?\)|"\w+")', '[\w.]+', \d+\)$/.exec(expression) ?? [];
  const [namespace = '', ...dimensions] = schema.split(',');
  const found = [...names.matchAll(/"(\w+)"/g)].map(([, name = '']) => name);
  if (found.length === 0) throw new Error(`an unknown form of search: ${expression}`);
  return found.map((name) => ({ namespace, name, dimensions: [...dimensions].sort() }));
}

/** The metric of `SELECT MIN(Name) FROM SCHEMA("namespace", dimension, ...)`. */
function queried(expression: string): Used {
  const [, name = '', namespace = '', dimensions = ''] =
    /^SELECT [A-Z]+\((\w+)\) FROM SCHEMA\("([^"]+)", ([\w, ]+)\)$/.exec(expression) ?? [];
  if (name === '') throw new Error(`an unknown form of query: ${expression}`);
  return { namespace, name, dimensions: dimensions.split(', ').sort() };
}

function ofWidget({ properties: { metrics = [] } }: Widget): Used[] {
  return metrics.flatMap((metric) => {
    const [first] = metric;
    if (typeof first === 'object') return searched(first.expression ?? '');
    const [namespace = '', name = '', ...dimensions] = metric.filter((part) => typeof part === 'string');
    return [{ namespace, name, dimensions: dimensions.filter((_, index) => index % 2 === 0).sort() }];
  });
}

function ofAlarm({ Namespace, MetricName, Dimensions, Metrics }: Fields): Used {
  const [query] = (Metrics ?? []) as Fields[];
  if (query !== undefined) return queried(String(query.Expression));
  const dimensions = (Dimensions as Fields[]).map(({ Name }) => String(Name)).sort();
  return { namespace: String(Namespace), name: String(MetricName), dimensions };
}

const textOf = ({ namespace, name, dimensions }: Used): string => `${namespace} ${name} {${dimensions.join(', ')}}`;

async function known(): Promise<Set<string>> {
  const { connector, loader, migration } = await emittedMetrics(NAMESPACE);
  return new Set([...connector, ...loader, ...migration, ...documentedMetrics()].map(textOf));
}

const COMBINATIONS: Overrides[] = [
  { CreateDashboard: 'true', MetricsNamespace: NAMESPACE },
  WATCHED,
  { ...WATCHED, EnableMetrics: 'false' },
  { ...LOADER, ...WATCHED },
  { ...LOADER, ...WATCHED, EnableMetrics: 'false' },
  { ...MIGRATION, CreateDashboard: 'true', MetricsNamespace: NAMESPACE },
  { ...MIGRATION, ...WATCHED, EnableMetrics: 'false' },
  { ...LOADER, ...WATCHED, Destination: 'influxdb' },
  EVERYTHING,
];

describe.each(COMBINATIONS)('with %p', (parameters) => {
  test("the dashboard follows CloudWatch's rules", () => {
    expect(dashboardProblems(bodyWith(parameters))).toEqual([]);
  });

  test('the dashboard and the alarms use metrics that exist, with their dimensions', async () => {
    const used = [...widgetsWith(parameters).flatMap(ofWidget), ...alarmsWith(parameters).map(([, it]) => ofAlarm(it))];
    const all = await known();
    expect(used.map(textOf).filter((metric) => !all.has(metric))).toEqual([]);
  });

  test('the dashboard shows every alarm', () => {
    const shown = widgetsWith(parameters).flatMap(({ properties: { alarms = [] } }) => alarms);
    expect(shown).toEqual(alarmsWith(parameters).map(([name]) => `<${name}.Arn>`));
  });
});

test.each([
  ['no dimension value', '{"widgets":[{"type":"metric","properties":{"region":"r","metrics":[["N","M","D"]]}}]}'],
  ['no region', '{"widgets":[{"type":"metric","properties":{"metrics":[["N","M"]]}}]}'],
  [
    'an unknown statistic',
    '{"widgets":[{"type":"metric","properties":{"region":"r","stat":"Mean","metrics":[["N","M"]]}}]}',
  ],
  ['a widget beyond the grid', '{"widgets":[{"type":"text","x":20,"width":6,"properties":{"markdown":"m"}}]}'],
  ['an unknown type', '{"widgets":[{"type":"graph","properties":{}}]}'],
  ['no alarm', '{"widgets":[{"type":"alarm","properties":{"alarms":[]}}]}'],
])('the rules for dashboards refuse %s', (_, body) => {
  expect(dashboardProblems(body)).not.toEqual([]);
});

test('the dashboard shows every metric of the connector, and what else is deployed', () => {
  const names = new Set(
    widgetsWith(EVERYTHING)
      .flatMap(ofWidget)
      .map(({ name }) => name),
  );
  expect(Object.values(CONNECTOR_METRICS).filter(({ name }) => !names.has(name))).toEqual([]);
  const parts = (parameters: Overrides) =>
    new Set(widgetsWith(parameters).map(({ properties: { title = '' } }) => title.split(':')[0]));
  expect(parts({ CreateDashboard: 'true' })).toEqual(
    new Set(['API', 'Write function', 'Connector', 'Timestream', 'Queues']),
  );
  expect(parts({ ...LOADER, CreateDashboard: 'true' })).toContain('Loader');
  expect(parts({ ...MIGRATION, CreateDashboard: 'true' })).toContain('Migration');
});

test('there is nothing of Timestream where points are stored in InfluxDB only', () => {
  const parameters = { ...LOADER, ...WATCHED, Destination: 'influxdb' };
  const used = [...widgetsWith(parameters).flatMap(ofWidget), ...alarmsWith(parameters).map(([, it]) => ofAlarm(it))];
  expect(used.filter(({ namespace }) => namespace === 'AWS/Timestream')).toEqual([]);
  const destinations = alarmsWith(parameters).flatMap(([, { Dimensions }]) =>
    ((Dimensions ?? []) as Fields[]).filter(({ Name }) => Name === 'destination').map(({ Value }) => Value),
  );
  expect(destinations).toEqual(['influxdb']);
});

test('there is no dashboard and no alarm without their parameters', () => {
  const types = Object.values(resourcesWith(MIGRATION)).map(({ Type }) => Type);
  expect(types.filter((type) => type.startsWith('AWS::CloudWatch::'))).toEqual([]);
});

test('the topic is notified, and nothing that happens is no alarm', () => {
  for (const [, alarm] of alarmsWith(EVERYTHING)) {
    expect(alarm).toMatchObject({ AlarmActions: [TOPIC], TreatMissingData: 'notBreaching' });
  }
});

/** The rows of the tables of alarms: resource, section, text and default of the threshold. */
const ALARM_ROWS = [
  ...OPERATIONS.matchAll(
    /^\| ((?:`\w+Alarm`(?:, )?)+) \| \[[^\]]+\]\(#([\w-]+)\) \| (.+?) \| [<>] `(\w+)` \(([\d.,]+)\) \|$/gm,
  ),
].flatMap(([, names = '', section = '', metric = '', parameter = '', fallback = '']) =>
  [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ name, section, metric, parameter, fallback })),
);

test('the documentation lists every alarm', () => {
  expect(ALARM_ROWS.map(({ name }) => name)).toEqual(alarmsWith(EVERYTHING).map(([name]) => name));
});

describe.each(ALARM_ROWS)('$name', ({ name, section, metric, parameter, fallback }) => {
  const alarm = Object.fromEntries(alarmsWith(EVERYTHING))[name] ?? {};

  test('names its section of the runbook, which exists', () => {
    expect(String(alarm.AlarmDescription)).toMatch(new RegExp(`^.+\\. Runbook: docs/operations\\.md#${section}$`));
    expect(anchorsIn(OPERATIONS)).toContain(section);
  });

  test('watches the documented metric, above or below the documented parameter with its default', () => {
    const { namespace, name: metricName } = ofAlarm(alarm);
    expect(metric).toContain(`\`${metricName}\``);
    expect(metric).toContain(namespace === NAMESPACE ? '`MetricsNamespace`' : `\`${namespace}\``);
    const [written] = Object.entries(template.Resources[name]?.Properties ?? {})
      .filter(([key]) => key === 'Threshold')
      .map(([, value]) => value);
    expect(written).toEqual({ Ref: parameter });
    expect(fallback.replaceAll(',', '')).toBe(String(template.Parameters[parameter]?.Default));
  });
});

/** The rows `| metric | unit | meaning |` of a section. */
function metricRows(section: string): (readonly [name: string, unit: string, meaning: string])[] {
  const text = OPERATIONS.split(/^(?=#+ )/m).find((part) => part.startsWith(`## ${section}\n`)) ?? '';
  return [...text.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| (\w+) \| (.+) \|$/gm)].flatMap(
    ([, names = '', unit = '', meaning = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, unit, meaning] as const),
  );
}

test('the documentation lists the metrics of the connector with their units and meanings', () => {
  expect(metricRows('Metrics of the connector')).toEqual(
    Object.values(CONNECTOR_METRICS).map(({ name, unit, meaning }) => [name, unit.toLowerCase(), meaning]),
  );
  const perTable = TABLE_METRICS.map((metric) => `\`${CONNECTOR_METRICS[metric].name}\``);
  const words = OPERATIONS.replace(/\s+/g, ' ');
  expect(words.includes(`${perTable.slice(0, -1).join(', ')} and ${perTable.at(-1)}`)).toBe(true);
});

test.each([
  ['loader', 'Metrics of the loader'],
  ['migration', 'Metrics of migrations'],
] as const)('the documentation lists the metrics of the %s', async (part, section) => {
  const emitted = (await emittedMetrics(NAMESPACE))[part].map(({ name, unit }) => `${name} ${unit.toLowerCase()}`);
  expect(
    metricRows(section)
      .map(([name, unit]) => `${name} ${unit}`)
      .sort(),
  ).toEqual(emitted.sort());
});
