/**
 * The rules for the body of a CloudWatch dashboard, as far as its widgets of metrics, alarms and text go.
 * Source: "Dashboard Body Structure and Syntax" in the Amazon CloudWatch API reference.
 */
import { Ajv } from 'ajv';

const STATISTIC = {
  type: 'string',
  pattern: '^(SampleCount|Average|Sum|Minimum|Maximum|IQM|p\\d{1,2}(\\.\\d+)?|(tm|tc|ts|wm)\\d{1,2}(\\.\\d+)?)$',
};
const PERIOD = { anyOf: [{ enum: [1, 5, 10, 20, 30] }, { type: 'integer', minimum: 60, multipleOf: 60 }] };
const TEXT = { type: 'string', minLength: 1 };

/** The last element of a metric, which changes how it is shown. */
const RENDERING = {
  color: TEXT,
  label: TEXT,
  id: { type: 'string', pattern: '^[a-z][a-zA-Z0-9_]*$' },
  period: PERIOD,
  region: TEXT,
  accountId: TEXT,
  stat: STATISTIC,
  visible: { type: 'boolean' },
  yAxis: { enum: ['left', 'right'] },
};

const object = (properties: object, required: string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});

const METRIC = {
  anyOf: [
    // Namespace, name, then pairs of dimension and value, and how to show it.
    { type: 'array', minItems: 2, items: { anyOf: [TEXT, object(RENDERING)] } },
    {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: object({ ...RENDERING, expression: { type: 'string', minLength: 1, maxLength: 1024 } }, ['expression']),
    },
  ],
};

const placed = (type: string, properties: object) =>
  object(
    {
      type: { const: type },
      x: { type: 'integer', minimum: 0, maximum: 23 },
      y: { type: 'integer', minimum: 0 },
      width: { type: 'integer', minimum: 1, maximum: 24 },
      height: { type: 'integer', minimum: 1, maximum: 1000 },
      properties,
    },
    ['type', 'properties'],
  );

const SCHEMA = object(
  {
    start: { type: 'string', pattern: '^(-P.+|\\d{4}-\\d\\d-\\d\\dT.+)$' },
    end: { type: 'string' },
    periodOverride: { enum: ['auto', 'inherit'] },
    widgets: {
      type: 'array',
      maxItems: 500,
      items: {
        anyOf: [
          placed(
            'metric',
            object(
              {
                title: TEXT,
                region: TEXT,
                view: { enum: ['timeSeries', 'singleValue', 'gauge', 'bar', 'pie', 'table'] },
                stacked: { type: 'boolean' },
                stat: STATISTIC,
                period: PERIOD,
                liveData: { type: 'boolean' },
                legend: object({ position: { enum: ['right', 'bottom', 'hidden'] } }, ['position']),
                metrics: { type: 'array', minItems: 1, maxItems: 500, items: METRIC },
              },
              ['region', 'metrics'],
            ),
          ),
          placed(
            'alarm',
            object(
              {
                title: TEXT,
                alarms: { type: 'array', minItems: 1, maxItems: 100, items: TEXT },
                sortBy: { enum: ['default', 'stateUpdatedTimestamp', 'timestamp'] },
                states: { type: 'array', items: { enum: ['ALARM', 'INSUFFICIENT_DATA', 'OK'] } },
              },
              ['alarms'],
            ),
          ),
          placed('text', object({ markdown: TEXT, background: { enum: ['solid', 'transparent'] } }, ['markdown'])),
        ],
      },
    },
  },
  ['widgets'],
);

const isValid = new Ajv({ allErrors: true }).compile(SCHEMA);

export interface Widget {
  readonly type: string;
  readonly x?: number;
  readonly width?: number;
  readonly properties: {
    readonly title?: string;
    readonly metrics?: readonly (readonly (string | { readonly expression?: string; readonly stat?: string })[])[];
    readonly alarms?: readonly string[];
  };
}

/** The problems of a dashboard's body; none for a valid one. */
export function dashboardProblems(text: string): string[] {
  const body = JSON.parse(text) as { readonly widgets: readonly Widget[] };
  if (!isValid(body)) return (isValid.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  return body.widgets.flatMap(({ x = 0, width = 6, properties: { metrics = [] } }, index) => [
    ...(x + width > 24 ? [`/widgets/${index} ends right of the 24 columns`] : []),
    ...metrics.flatMap((metric, at) =>
      metricProblems(metric).map((problem) => `/widgets/${index}/metrics/${at} ${problem}`),
    ),
  ]);
}

function metricProblems(metric: readonly unknown[]): string[] {
  const texts = metric.filter((part) => typeof part === 'string');
  if (texts.length === 0) return [];
  const isRenderingLast = metric.findIndex((part) => typeof part !== 'string') === metric.length - 1;
  if (texts.length !== metric.length && !isRenderingLast) return ['has its rendering properties before its end'];
  return texts.length % 2 === 0 ? [] : ['has a dimension without a value'];
}
