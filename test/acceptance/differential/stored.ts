/** The outcome of a request, in one form for InfluxDB and for the connector. */

export interface Request {
  readonly body: Uint8Array;
  /** Default: ns. */
  readonly precision?: string;
  /** Default: a bucket that exists in InfluxDB. */
  readonly bucket?: string;
  /** Default: an organization that exists in InfluxDB. */
  readonly org?: string;
  /** The whole target of the request, in which `{bucket}` stands for the bucket of the case. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One field of one point. */
export interface Value {
  readonly measurement: string;
  /** Sorted by name. */
  readonly tags: readonly (readonly [name: string, value: string])[];
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly field: string;
  readonly type: 'float' | 'integer' | 'unsigned' | 'boolean' | 'string';
  readonly value: string;
}

export interface Outcome {
  /** 0 if the request crashed the server. */
  readonly statuses: readonly number[];
  /** The messages of the errors. */
  readonly messages: string;
  readonly values: readonly Value[];
}

export const sorted = (tags: Iterable<readonly [string, string]>): Value['tags'] =>
  [...tags].sort(([a], [b]) => (a < b ? -1 : 1));

/** Numbers compare as numbers: `1` is `1.0`. */
export const canonical = (type: Value['type'], value: string): string =>
  type === 'float' ? String(Number(value)) : type === 'integer' || type === 'unsigned' ? String(BigInt(value)) : value;

/** A text by which two values can be compared; the servers' own times are all equal. */
export function textOf({ measurement, tags, time, field, type, value }: Value, started: bigint): string {
  return JSON.stringify([measurement, tags, time >= started ? 'now' : String(time), field, type, value]);
}
