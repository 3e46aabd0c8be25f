/**
 * CloudWatch's embedded metric format: a schema, and the rules that a schema cannot express.
 * Source: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
 */
import { Ajv } from 'ajv';

/** Source: MetricDatum in the CloudWatch API reference. */
export const UNITS = [
  ...['Seconds', 'Microseconds', 'Milliseconds', 'Percent', 'Count', 'None', 'Count/Second'],
  ...['Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes'].flatMap((unit) => [unit, `${unit}/Second`]),
  ...['Bits', 'Kilobits', 'Megabits', 'Gigabits', 'Terabits'].flatMap((unit) => [unit, `${unit}/Second`]),
];

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength });

const SCHEMA = {
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      additionalProperties: false,
      properties: {
        Timestamp: { type: 'integer', minimum: 0 },
        CloudWatchMetrics: {
          type: 'array',
          items: {
            type: 'object',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            additionalProperties: false,
            properties: {
              Namespace: text(1024),
              Dimensions: { type: 'array', minItems: 1, items: { type: 'array', maxItems: 30, items: text(250) } },
              Metrics: {
                type: 'array',
                maxItems: 100,
                items: {
                  type: 'object',
                  required: ['Name'],
                  additionalProperties: false,
                  properties: {
                    Name: text(1024),
                    Unit: { enum: UNITS },
                    StorageResolution: { enum: [1, 60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

const isValid = new Ajv({ allErrors: true }).compile(SCHEMA);

interface EmbeddedMetrics {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[];
    }[];
  };
  readonly [member: string]: unknown;
}

/** A value that CloudWatch extracts from a log line. */
export interface ExtractedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The metrics that CloudWatch extracts from a log line; none if the line is not in the format.
 * @throws if the line does not follow the specification
 */
export function extractMetrics(line: string): ExtractedMetric[] {
  const document: unknown = JSON.parse(line);
  if (typeof document !== 'object' || document === null || !('_aws' in document)) return [];
  if (!isValid(document)) throw new Error(JSON.stringify(isValid.errors));
  const { _aws, ...members } = document as unknown as EmbeddedMetrics;
  return _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((names) => {
      const dimensions = Object.fromEntries(names.map((name) => [name, dimension(members, name)]));
      return Metrics.map(({ Name: name, Unit: unit = 'None' }) => {
        const value = members[name];
        if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`${name} is no member with a number`);
        return { namespace: Namespace, name, unit, dimensions, value };
      });
    }),
  );
}

function dimension(members: Readonly<Record<string, unknown>>, name: string): string {
  const value = members[name];
  if (typeof value !== 'string' || value.length === 0 || value.length > 1024 || /[^\x20-\x7e]/.test(value)) {
    throw new Error(`the dimension ${name} is no member with 1 to 1,024 ASCII characters`);
  }
  return value;
}
