/** An InfluxDB 2 or 3 with a schedule of faults, at the level of its HTTP exchanges. Records what it stored and what it received. */
import fc from 'fast-check';
import { InfluxDBConnectionError } from 'shared/errors';
import type { Engine, WritePrecision } from 'shared/influxdb/protocol';
import type { TokenProvider } from 'shared/influxdb/token';
import type { Exchange, RequestOptions } from 'shared/influxdb/transport';
import type { VirtualClock } from '../support/virtual-clock';
import { nanoseconds, RETENTION_BOUND, stored } from './both-points';

/** After the last three steps no retry within a request helps. */
const STEPS = [
  'carry out',
  'throttle',
  'throttle for seconds',
  'busy for seconds',
  'fault',
  'fault, carried out',
  'fault, half carried out',
  'fault of a proxy',
  'lose before',
  'lose after',
  'hang',
  'away',
  'page of a proxy',
  'deny token',
  'deny bucket',
] as const;
export type InfluxStep = (typeof STEPS)[number];

export interface InfluxFaults {
  readonly engine: Engine;
  readonly schedule: readonly { readonly step: InfluxStep; readonly ms: number }[];
  /** Maximum lines of a write; more get 413. */
  readonly maxLines: number;
  /** Whether the secret of the token cannot be read, which takes 2 s to find out. */
  readonly secretHangs: boolean;
}

export const influxStep: fc.Arbitrary<InfluxStep> = fc.oneof(
  { weight: 6, arbitrary: fc.constant('carry out' as const) },
  { weight: 5, arbitrary: fc.constantFrom(...STEPS.slice(0, 12)) },
  { weight: 1, arbitrary: fc.constantFrom(...STEPS) },
);

export const influxFaults: fc.Arbitrary<InfluxFaults> = fc.record({
  engine: fc.constantFrom<Engine>('v2', 'v3'),
  schedule: fc.array(fc.record({ step: influxStep, ms: fc.nat(400) }), { maxLength: 12 }),
  maxLines: fc.oneof(
    { weight: 4, arbitrary: fc.constant(1_000) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
  ),
  secretHangs: fc.boolean(),
});

const CALL_MS = 20;
const SHARDS = 3;

interface WrittenLine {
  readonly text: string;
  readonly n: number;
  readonly time: bigint;
  readonly value: string;
}

export class ScheduledInfluxDB {
  readonly stored = new Set<string>();
  /** The step of all calls while it is set. */
  outage: InfluxStep | undefined;
  isHealed = false;
  private calls = 0;

  constructor(
    readonly given: InfluxFaults,
    readonly clock: VirtualClock,
    private readonly violations: string[],
  ) {}

  readonly tokens: TokenProvider = {
    get: () => Promise.resolve('token'),
    renew: async () => {
      if (!this.given.secretHangs) return undefined;
      await this.clock.delay(2_000);
      throw new InfluxDBConnectionError('cannot read the secret of the InfluxDB token');
    },
  };

  /** @param onLine called with the number of each line @param onStored called with each point that the response calls stored */
  async exchange(
    { path, body = Buffer.of(), timeoutMs, signal }: RequestOptions,
    onLine: (n: number) => void,
    onStored: (point: string) => void,
  ): Promise<Exchange> {
    const scheduled = this.given.schedule[this.calls++] ?? { step: 'carry out', ms: CALL_MS };
    const { step, ms } = this.isHealed
      ? { step: 'carry out' as const, ms: CALL_MS }
      : this.outage === undefined
        ? scheduled
        : { step: this.outage, ms: CALL_MS };
    const unit = unitIn(path);
    const lines = Buffer.from(body)
      .toString()
      .split('\n')
      .slice(0, -1)
      .flatMap((text) => this.readLine(text, unit));
    for (const { n } of lines) onLine(n);
    await this.clock.delay(step === 'hang' ? timeoutMs : ms, signal);
    if (signal?.aborted) return lost('stopped');
    return this.respond(step, lines, onStored);
  }

  private readLine(text: string, unit: WritePrecision): WrittenLine[] {
    const [, value, n, time] = /^t\d(?:,s=\d+)? v=(\d+)i,n=(\d+)i\S* (-?\d+)$/.exec(text) ?? [];
    if (value !== undefined && n !== undefined && time !== undefined) {
      return [{ text, n: Number(n), time: nanoseconds(time, unit), value }];
    }
    this.violations.push(`InfluxDB received a line that nobody sent: ${text}`);
    return [];
  }

  private respond(step: InfluxStep, lines: WrittenLine[], onStored: (point: string) => void): Exchange {
    switch (step) {
      case 'throttle':
        return response(429, 'slow down');
      case 'throttle for seconds':
        return { ...response(429, 'slow down'), retryAfter: '3' };
      case 'busy for seconds':
        return { ...response(503, 'busy'), retryAfter: '7' };
      case 'fault':
        return response(500, '{"code":"internal error","message":"disk full"}');
      case 'fault, carried out':
        this.carryOut(lines);
        return response(500, '{"code":"internal error","message":"engine: timeout"}');
      case 'fault, half carried out':
        this.carryOut(lines.slice(0, lines.length >> 1));
        return response(500, '{"code":"internal error","message":"unexpected error"}');
      case 'fault of a proxy':
        return response(502, '<html>bad gateway</html>');
      case 'lose before':
        return { ...lost('write EPIPE'), staleSocket: true };
      case 'lose after':
        this.carryOut(lines);
        return { ...lost('read ECONNRESET'), staleSocket: true };
      case 'away':
        return lost('connect ECONNREFUSED');
      case 'hang':
        return lost('no response within 15 s');
      case 'page of a proxy':
        return response(200, '<html>log in</html>');
      case 'deny token':
        return response(401, '{"code":"unauthorized","message":"unauthorized access"}');
      case 'deny bucket':
        return response(403, '{"code":"forbidden","message":"insufficient permissions for write"}');
      case 'carry out': {
        const { exchange, points } = this.carryOut(lines);
        for (const point of points) onStored(point);
        return exchange;
      }
    }
  }

  private carryOut(lines: readonly WrittenLine[]): { exchange: Exchange; points: readonly string[] } {
    if (lines.length > this.given.maxLines) {
      return { exchange: response(413, '{"code":"request too large","message":"too large"}'), points: [] };
    }
    return this.given.engine === 'v2' ? this.carryOutV2(lines) : this.carryOutV3(lines);
  }

  /**
   * Stores nothing if a line cannot be parsed. Otherwise writes each shard by itself, and reports the rejected points of one shard only.
   * Source: the responses of InfluxDB 2.7.12.
   */
  private carryOutV2(lines: readonly WrittenLine[]): { exchange: Exchange; points: readonly string[] } {
    const unparsable = lines.filter(isUnparsable);
    if (unparsable.length > 0) {
      const message = unparsable.map(({ text }) => `unable to parse '${text}': invalid`).join('\n');
      return { exchange: response(400, JSON.stringify({ code: 'invalid', message })), points: [] };
    }
    const kept = lines.filter((line) => !isOutsideRetention(line));
    const points = this.store(kept.filter((line) => conflictIn(line) === undefined));
    const shards = Array.from({ length: SHARDS }, (_, shard) =>
      kept.filter((line) => line.n % SHARDS === shard && conflictIn(line) !== undefined),
    ).filter((conflicts) => conflicts.length > 0);
    const reported = shards[this.calls % Math.max(1, shards.length)];
    const old = lines.length - kept.length;
    if (reported === undefined && old === 0) return { exchange: response(204, ''), points };
    const [first] = reported ?? [];
    const why =
      first === undefined
        ? `dropped ${old} points outside retention policy of duration 240h0m0s - oldest point t0 dropped because it violates a ` +
          `Retention Policy Lower Bound at ${RETENTION_BOUND} dropped=${old} for database: 7d9b for retention policy: autogen`
        : `${conflictOf(first)} dropped=${reported?.length}`;
    const message = `failure writing points to database: partial write: ${why}`;
    return { exchange: response(422, JSON.stringify({ code: 'unprocessable entity', message })), points };
  }

  /** Stores all lines but the rejected ones, and lists these. Source: the responses of InfluxDB 3.7 Core. */
  private carryOutV3(lines: readonly WrittenLine[]): { exchange: Exchange; points: readonly string[] } {
    const isBad = (line: WrittenLine): boolean =>
      isUnparsable(line) || isOutsideRetention(line) || conflictIn(line) !== undefined;
    const points = this.store(lines.filter((line) => !isBad(line)));
    const data = lines.flatMap((line, index) =>
      isBad(line)
        ? [{ original_line: line.text.replaceAll('"', ''), line_number: index + 1, error_message: 'invalid' }]
        : [],
    );
    if (data.length === 0) return { exchange: response(204, ''), points };
    const error = { error: 'partial write of line protocol occurred', data };
    return { exchange: response(400, JSON.stringify(error)), points };
  }

  private store(lines: readonly WrittenLine[]): string[] {
    const points = lines.map(({ n, time, value }) => stored(n, time, value));
    for (const point of points) this.stored.add(point);
    return points;
  }
}

const response = (status: number, body: string): Exchange & { kind: 'response' } => ({
  kind: 'response',
  status,
  body,
});
const lost = (reason: string): Exchange & { kind: 'no-response' } => ({
  kind: 'no-response',
  reason,
  staleSocket: false,
  isPermanent: false,
});

function unitIn(path: string): WritePrecision {
  const precision = new URL(path, 'http://influxdb').searchParams.get('precision') ?? '';
  const units: Readonly<Record<string, WritePrecision>> = {
    nanosecond: 'ns',
    microsecond: 'us',
    millisecond: 'ms',
    second: 's',
  };
  return units[precision] ?? (precision as WritePrecision);
}

const isUnparsable = ({ text }: WrittenLine): boolean => text.includes('"unparsable"');
const isOutsideRetention = ({ time }: WrittenLine): boolean =>
  time > 0n && time < BigInt(Date.parse(RETENTION_BOUND)) * 1_000_000n;
const conflictIn = ({ text }: WrittenLine): string | undefined => /,([cd])=/.exec(text)?.[1];
const conflictOf = (line: WrittenLine): string =>
  `field type conflict: input field "${conflictIn(line)}" on measurement "${line.text.slice(0, 2)}" is type float, already exists as type integer`;
