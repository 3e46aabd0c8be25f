/** For any responses of InfluxDB, every line of a request has one outcome, and only lines that InfluxDB cannot store are rejected. */
import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { InfluxDBConnectionError } from 'shared/errors';
import type { EncodedLines, LineWriter } from 'shared/influxdb/client';
import { joinLines, splitLines } from 'shared/influxdb/lines';
import type { Rejection, WriteOutcome } from 'shared/influxdb/outcome';
import { batchLines } from 'shared/influxdb/request-lines';
import { destinationBreaker, writeLineBatches } from 'shared/influxdb/request-writer';
import { NANOSECONDS } from 'shared/line-protocol/precision';
import { type LineReason, LineReport } from 'shared/line-report';
import { runs } from '../../support/fuzz';
import { recordingLogger } from '../../support/influx-writing';
import { VirtualClock } from '../../support/virtual-clock';

/** What InfluxDB does with a line; from `vague` on its response does not say which line is meant. */
const KINDS = ['good', 'conflict', 'unparsable', 'listed', 'vague', 'poison', 'huge'] as const;
type Kind = (typeof KINDS)[number];

/** What happens to a call before InfluxDB reads it. */
const FAULTS = [
  'none',
  'throttle',
  'delay',
  'error',
  'away',
  'lost response',
  'hang',
  'bad token',
  'no token',
] as const;
type Fault = (typeof FAULTS)[number];

const lineOf = (kind: Kind, n: number): string => `${kind},n=${n} v=${n}i ${n}`;
const kindOf = (line: string): Kind => line.slice(0, line.indexOf(',')) as Kind;

class ModelInfluxDB implements LineWriter {
  readonly stored = new Set<string>();
  calls = 0;
  inFlight = 0;

  constructor(
    private readonly faults: readonly Fault[],
    private readonly clock: VirtualClock,
    private readonly callMs = 10,
  ) {}

  encode(lines: Uint8Array): Promise<EncodedLines> {
    return Promise.resolve({ lines, body: lines });
  }

  async write({ lines: bytes }: EncodedLines, signal?: AbortSignal): Promise<WriteOutcome> {
    const fault = this.faults[this.calls++] ?? 'none';
    const lines = splitLines(bytes).map((line) => Buffer.from(line).toString());
    this.inFlight++;
    await this.clock.delay(fault === 'hang' ? 15_000 : this.callMs, signal);
    this.inFlight--;
    if (signal?.aborted) return { kind: 'retryable', cause: 'unavailable', reason: 'stopped' };
    switch (fault) {
      case 'none':
        return this.store(lines);
      case 'throttle':
        return { kind: 'retryable', cause: 'throttled', reason: '429' };
      case 'delay':
        return { kind: 'retryable', cause: 'throttled', reason: '429', retryAfterMs: 7_000 };
      case 'error':
        return { kind: 'retryable', cause: 'error', reason: '500' };
      case 'lost response':
        this.store(lines);
        return { kind: 'retryable', cause: 'unavailable', reason: 'reset', atOnce: true };
      case 'away':
      case 'hang':
        return { kind: 'retryable', cause: 'unavailable', reason: fault };
      case 'bad token':
        return { kind: 'fatal', scope: 'load', reason: '401', status: 401 };
      case 'no token':
        throw new InfluxDBConnectionError('the secret cannot be read');
    }
  }

  private store(lines: readonly string[]): WriteOutcome {
    const of = (kind: Kind): string[] => lines.filter((line) => kindOf(line) === kind);
    if (lines.length > 1 && of('huge').length > 0) return { kind: 'too-large', reason: '413' };
    if (of('huge').length > 0) return { kind: 'too-large', reason: '413' };
    if (of('poison').length > 0) return { kind: 'fatal', scope: 'batch', reason: '422', status: 422 };
    const listed = (kind: Kind): Rejection[] =>
      lines.flatMap((line, index) => (kindOf(line) === kind ? [{ reason: kind, lines: 1, example: line, index }] : []));
    const unparsable = listed('unparsable').map((each) => ({ ...each, isUnparsable: true }));
    if (unparsable.length > 0) {
      const good = lines.filter((line) => kindOf(line) !== 'unparsable');
      return { kind: 'rejected', rejections: unparsable, remainder: joinLines(good.map((line) => Buffer.from(line))) };
    }
    for (const line of of('good')) this.stored.add(line);
    if (of('vague').length > 0) {
      const dropped = lines.length - of('good').length;
      return { kind: 'rejected', rejections: [{ reason: 'partial', lines: dropped, example: 'partial write' }] };
    }
    const rejections = listed('listed');
    const conflicts = of('conflict').length;
    if (conflicts > 0) {
      const example =
        'partial write: field type conflict: input field "v" on measurement "conflict" is type integer, already exists as type float';
      rejections.push({ reason: 'conflict', lines: conflicts, example });
    }
    return rejections.length > 0 ? { kind: 'rejected', rejections } : { kind: 'written' };
  }
}

interface Request {
  readonly kinds: readonly Kind[];
  readonly faults: readonly Fault[];
  readonly batchSize: number;
  readonly deadlineMs: number;
  readonly callMs?: number;
}

async function written({ kinds, faults, batchSize, deadlineMs, callMs }: Request) {
  const clock = new VirtualClock();
  const influxdb = new ModelInfluxDB(faults, clock, callMs);
  const lines = kinds.map(lineOf);
  const found: LineReason[] = [];
  const report = new LineReport({ onLine: (line) => found.push(line) });
  const limits = { maxLineBytes: 1_000, batchLines: batchSize, batchBytes: 1_000_000 };
  const body = Buffer.from(lines.join('\n'));
  const batches = batchLines(body, { ...limits, precision: NANOSECONDS, requestTime: 0 }, report);
  const deadline = new AbortController();
  const done = new AbortController();
  setMaxListeners(0, deadline.signal);
  void clock.delay(deadlineMs, done.signal).then(() => deadline.abort());
  const breaker = destinationBreaker({ clock, random: () => 0.5 });
  const options = {
    client: influxdb,
    body,
    precision: 'ns' as const,
    breaker,
    logger: recordingLogger(),
    clock,
    random: () => 0.5,
  };
  const outcome = await writeLineBatches(batches, options, report, deadline.signal);
  const { inFlight } = influxdb;
  done.abort();
  return { outcome, report, found, influxdb, lines, inFlight, breaker };
}

const request = (kind: fc.Arbitrary<Kind>): fc.Arbitrary<Request> =>
  fc.record({
    kinds: fc.array(kind, { maxLength: 30 }),
    faults: fc.array(fc.constantFrom<Fault>('none', ...FAULTS), { maxLength: 30 }),
    batchSize: fc.integer({ min: 1, max: 10 }),
    deadlineMs: fc.constantFrom(0, 5, 200, 4_500, 60_000),
  });
const mostlyGood = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Kind>('good') },
  { weight: 1, arbitrary: fc.constantFrom(...KINDS) },
);

test('each line is stored, rejected or unstored; only bad lines are rejected; stored lines are in InfluxDB; no call goes on', async () => {
  await fc.assert(
    fc.asyncProperty(request(mostlyGood), async (given) => {
      const { outcome, report, found, influxdb, lines, inFlight } = await written(given);
      const rejected = report.rejectedLines + report.faultyLines;
      expect(outcome.stored + outcome.unstored.length + rejected).toBe(lines.length);
      expect(outcome.failure === undefined).toBe(outcome.unstored.length === 0);
      const settledElsewhere = new Set([...outcome.unstored, ...found].map(({ line }) => line - 1));
      const stored = lines.filter((_, index) => !settledElsewhere.has(index));
      expect(outcome.stored).toBe(stored.length);
      for (const line of stored) expect(influxdb.stored).toContain(line);
      for (const { line } of found) expect(kindOf(lines[line - 1])).not.toBe('good');
      expect(inFlight).toBe(0);
      expect(outcome.calls).toBe(influxdb.calls);
    }),
    runs(1_500),
  );
});

test('without faults every good line is stored and every bad line is rejected with its number, also if InfluxDB does not say which lines it means', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(mostlyGood, { maxLength: 30 }),
      fc.integer({ min: 1, max: 30 }),
      async (kinds, batchSize) => {
        const { outcome, found, lines } = await written({ kinds, faults: [], batchSize, deadlineMs: 60_000 });
        expect(outcome.unstored).toEqual([]);
        const bad = [...kinds.keys()].filter((index) => kinds[index] !== 'good').map((index) => index + 1);
        expect(found.map(({ line }) => line).sort((a, b) => a - b)).toEqual(bad);
        expect(outcome.stored).toBe(lines.length - bad.length);
      },
    ),
    runs(1_000),
  );
});

test('one bad line among 10,000 is found, and the others are stored, where InfluxDB refuses the whole batch', async () => {
  const kinds = Array.from({ length: 10_000 }, (_, n): Kind => (n === 7_777 ? 'poison' : 'good'));
  const { outcome, found } = await written({ kinds, faults: [], batchSize: 10_000, deadlineMs: 4_500 });
  expect(found).toMatchObject([{ line: 7_778, kind: 'rejected', reason: 'line 7778: 422' }]);
  expect(outcome).toMatchObject({ stored: 9_999, unstored: [] });
});

test('a batch with bad lines only ends with their rejection after a limited number of calls', async () => {
  const kinds = Array.from({ length: 10_000 }, (): Kind => 'poison');
  const { outcome, report } = await written({ kinds, faults: [], batchSize: 5_000, deadlineMs: 4_500 });
  expect(report.rejectedLines).toBe(10_000);
  expect(outcome.calls).toBeLessThan(200);
});

test('lines that InfluxDB rejected without saying which ones are reported as candidates when the calls to find them are used up', async () => {
  const kinds = Array.from({ length: 1_000 }, (_, n): Kind => (n % 2 === 0 ? 'vague' : 'good'));
  const { outcome, report, found } = await written({ kinds, faults: [], batchSize: 1_000, deadlineMs: 60_000 });
  expect(report.rejectedLines).toBe(500);
  expect(outcome.stored).toBe(500);
  const candidates = new Set(found.map(({ line }) => line));
  for (const [index, kind] of kinds.entries()) if (kind === 'vague') expect(candidates).toContain(index + 1);
});

test('after three failures in a row the other batches fail without a call', async () => {
  const kinds = Array.from({ length: 40 }, (): Kind => 'good');
  const faults = Array.from({ length: 100 }, (): Fault => 'away');
  const { outcome } = await written({ kinds, faults, batchSize: 1, deadlineMs: 60_000 });
  expect(outcome.unstored).toHaveLength(40);
  expect(outcome.failure).toMatchObject({ kind: 'unavailable', reason: 'away' });
  expect(outcome.calls).toBeLessThanOrEqual(4);
});

test('batches that the deadline left over are not counted as failures of InfluxDB', async () => {
  const kinds = Array.from({ length: 100 }, (): Kind => 'good');
  const { outcome, breaker } = await written({ kinds, faults: [], batchSize: 10, deadlineMs: 150, callMs: 100 });
  expect(outcome.stored).toBe(40);
  expect(outcome.unstored).toHaveLength(60);
  expect(outcome.calls).toBe(8);
  expect(breaker.isOpen).toBe(false);
});

test('calls that the deadline ended after two seconds without a response count as failures of InfluxDB', async () => {
  const kinds = Array.from({ length: 3 }, (): Kind => 'good');
  const { breaker } = await written({ kinds, faults: ['hang', 'hang', 'hang'], batchSize: 1, deadlineMs: 2_000 });
  expect(breaker.isOpen).toBe(true);
});

test('a response that requests a delay is final, and the delay is passed on', async () => {
  const { outcome } = await written({ kinds: ['good'], faults: ['delay'], batchSize: 1, deadlineMs: 60_000 });
  expect(outcome).toMatchObject({ calls: 1, stored: 0, failure: { kind: 'throttled', retryAfterMs: 7_000 } });
});
