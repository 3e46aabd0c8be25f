/**
 * A real InfluxDB as one side of a comparison: an empty bucket per case, and a restart if a request crashes it. Its requests go to the
 * server itself, or to an endpoint that stores their points in it.
 */
import { Influxd, ORG, type StoredValue, TOKEN } from '../../support/influxd';
import type { Case } from './case';
import { canonical, type Outcome, type Request, sorted, type Value } from './stored';

type Types = Readonly<Record<string, Value['type']>>;

/** The types of Timestream, which has one of integers. */
const TYPES: Types = {
  double: 'float',
  long: 'integer',
  unsignedLong: 'integer',
  boolean: 'boolean',
  string: 'string',
};
/** The types of InfluxDB. */
export const INFLUXDB_TYPES: Types = { ...TYPES, unsignedLong: 'unsigned' };

type SideCase = Pick<Case, 'requests' | 'retentionSeconds'>;

const SHARD_SECONDS = 100 * 365 * 86_400;

/** The URL that requests go to, with the settings of a case. */
type Endpoint = (environment: Readonly<Record<string, string>>) => Promise<string>;

interface Place {
  readonly bucket: string;
  /** Where requests go. */
  readonly url: string;
}

export class InfluxdbSide {
  private buckets = 0;
  private bucket: string | undefined;

  private constructor(
    private readonly influxd: Influxd,
    private readonly orgID: string,
    private readonly name: 'direct' | 'through',
    private readonly types: Types,
    private readonly endpoint: Endpoint,
  ) {}

  static async start(binary: string, types = TYPES): Promise<InfluxdbSide> {
    const influxd = await Influxd.start(binary);
    return new InfluxdbSide(influxd, await influxd.orgId(), 'direct', types, async () => influxd.url);
  }

  /**
   * Another side with buckets of its own in the same server.
   * @param endpoint an endpoint that writes to this server
   */
  through(endpoint: Endpoint): InfluxdbSide {
    return new InfluxdbSide(this.influxd, this.orgID, 'through', this.types, endpoint);
  }

  get url(): string {
    return this.influxd.url;
  }

  /** A new bucket per case, because InfluxDB may lose points that are written right after a delete. */
  private async takeBucket(everySeconds: number): Promise<string> {
    const name = `${this.name}-${this.buckets++}`;
    // One shard for all points, because creating a shard takes 60 ms.
    const shardGroupDurationSeconds = everySeconds === 0 ? SHARD_SECONDS : everySeconds;
    const retentionRules = [{ type: 'expire', everySeconds, shardGroupDurationSeconds }];
    await this.influxd.post('/api/v2/buckets', { orgID: this.orgID, name, retentionRules });
    return name;
  }

  remove(): Promise<void> {
    return this.influxd.remove();
  }

  async write({ requests, retentionSeconds = 0 }: SideCase, environment = {}): Promise<Outcome> {
    const url = await this.endpoint(environment);
    const isUsual = retentionSeconds === 0;
    const bucket = (isUsual ? this.bucket : undefined) ?? (await this.takeBucket(retentionSeconds));
    const statuses: number[] = [];
    const messages: string[] = [];
    for (const request of requests) {
      const { status, message } = await this.post(request, { bucket, url });
      statuses.push(status);
      if (message !== '') messages.push(message);
    }
    const hasStored = statuses.some((status) => status === 204 || status === 422);
    // InfluxDB itself stores nothing of a request that it refuses.
    const mayHold = hasStored || this.name === 'through';
    const values = mayHold ? (await this.influxd.values(bucket)).map((value) => toValue(value, this.types)) : [];
    // A bucket without values may have points that no query returns.
    const isUsed = hasStored || values.length > 0;
    // The next one is there some time before it is needed: a server under load may not find points of a bucket that it has just made.
    if (isUsual) this.bucket = isUsed ? await this.takeBucket(0) : bucket;
    return { statuses, messages: messages.join('\n'), values };
  }

  private async post(
    { body, precision = 'ns', org = ORG, headers = {}, ...request }: Request,
    { bucket, url }: Place,
  ): Promise<{ status: number; message: string }> {
    const target = request.bucket ?? bucket;
    const path = request.path ?? `/api/v2/write?org=${org}&bucket=${target}&precision=${precision}`;
    const init = {
      method: 'POST',
      // An open connection would keep the endpoint from closing.
      headers: { Authorization: `Token ${TOKEN}`, Connection: 'close', ...headers },
      body: new Uint8Array(body),
    };
    const response = await fetch(url + path.replace('{bucket}', bucket), init).catch(() => undefined);
    if (response !== undefined) return { status: response.status, message: await response.text() };
    await this.influxd.kill();
    await this.influxd.restart();
    return { status: 0, message: 'the server died' };
  }
}

export function toValue({ measurement, tags, time, field, type, value }: StoredValue, types = TYPES): Value {
  const kind = types[type];
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
