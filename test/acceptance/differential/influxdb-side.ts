/** A real InfluxDB as one side of a comparison: an empty bucket per case, and a restart if a request crashes it. */
import { Influxd, ORG, type StoredValue, TOKEN } from '../../support/influxd';
import { canonical, type Outcome, type Request, sorted, type Value } from './stored';

const TYPES: Readonly<Record<string, Value['type']>> = {
  double: 'float',
  long: 'integer',
  unsignedLong: 'integer',
  boolean: 'boolean',
  string: 'string',
};

const SHARD_SECONDS = 100 * 365 * 86_400;

export class InfluxdbSide {
  private buckets = 0;
  private bucket = '';

  private constructor(
    private readonly influxd: Influxd,
    private readonly orgID: string,
  ) {}

  static async start(binary: string): Promise<InfluxdbSide> {
    const influxd = await Influxd.start(binary);
    const side = new InfluxdbSide(influxd, await influxd.orgId());
    await side.takeBucket();
    return side;
  }

  /** A new bucket per case, because InfluxDB may lose points that are written right after a delete. */
  private async takeBucket(): Promise<void> {
    this.bucket = `case-${this.buckets++}`;
    // One shard for all points, because creating a shard takes 60 ms.
    const retentionRules = [{ type: 'expire', everySeconds: 0, shardGroupDurationSeconds: SHARD_SECONDS }];
    await this.influxd.post('/api/v2/buckets', { orgID: this.orgID, name: this.bucket, retentionRules });
  }

  remove(): Promise<void> {
    return this.influxd.remove();
  }

  async write(requests: readonly Request[]): Promise<Outcome> {
    const statuses: number[] = [];
    const messages: string[] = [];
    for (const request of requests) {
      const { status, message } = await this.post(request);
      statuses.push(status);
      if (message !== '') messages.push(message);
    }
    // InfluxDB stores nothing of a refused request; otherwise the next case would fail.
    const mayHold = statuses.some((status) => status === 204 || status === 422);
    const values = mayHold ? (await this.influxd.values(this.bucket)).map(toValue) : [];
    if (mayHold) await this.takeBucket();
    return { statuses, messages: messages.join('\n'), values };
  }

  private async post({
    body,
    precision = 'ns',
    bucket = this.bucket,
    headers = {},
  }: Request): Promise<{ status: number; message: string }> {
    const url = `${this.influxd.url}/api/v2/write?org=${ORG}&bucket=${bucket}&precision=${precision}`;
    const init = {
      method: 'POST',
      headers: { Authorization: `Token ${TOKEN}`, ...headers },
      body: new Uint8Array(body),
    };
    const response = await fetch(url, init).catch(() => undefined);
    if (response !== undefined) return { status: response.status, message: await response.text() };
    await this.influxd.kill();
    await this.influxd.restart();
    return { status: 0, message: 'the server died' };
  }
}

export function toValue({ measurement, tags, time, field, type, value }: StoredValue): Value {
  const kind = TYPES[type];
  if (kind === undefined) throw new Error(`Flux gives the field ${field} an unknown type: ${type}`);
  return {
    measurement,
    tags: sorted(Object.entries(tags)),
    time: nanoseconds(time),
    field,
    type: kind,
    value: canonical(kind, value),
  };
}

/** Nanoseconds of a time in Flux's form: `2024-03-01T12:00:00.000000007Z`. */
export function nanoseconds(time: string): bigint {
  const [, seconds = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(time) ?? [];
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
