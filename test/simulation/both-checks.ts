/** What must be true of each response, and of both destinations in the end, in the simulation of two destinations. */
import assert from 'node:assert/strict';
import type { DestinationName } from 'shared/destination-config';
import type { WritePrecision } from 'shared/influxdb/protocol';
import type { HttpResponse } from '../../functions/write-line-protocol/responses';
import { type Invocation, type Mode, numbersIn, numbersInText } from './both-invocation';
import { canStore, expected, type Line, limitOf, storedRecord } from './both-points';
import type { World, WorldOptions } from './both-world';

export interface Request {
  readonly lines: readonly Line[];
  readonly unit: WritePrecision;
}

export interface Attempt extends Request {
  /** Time of the request, ms since 1970. */
  readonly time: number;
  readonly mode: Mode;
  readonly response: HttpResponse;
}

const destinationsOf = (mode: Mode): readonly DestinationName[] =>
  mode === 'both' ? ['timestream', 'influxdb'] : [mode];

/** Whether the line is stored in InfluxDB only, because of a limit of Timestream. */
const isElsewhere = (line: Line, mode: Mode, { influxdbOnly }: WorldOptions): boolean => {
  const limit = limitOf(line);
  return mode === 'both' && limit !== undefined && influxdbOnly.includes(limit);
};

/** Whether the line is not sent to InfluxDB, because Timestream cannot store it. */
const isLeftOut = (line: Line, mode: Mode, given: WorldOptions): boolean =>
  mode === 'both' && limitOf(line) !== undefined && !isElsewhere(line, mode, given);

/** Whether the line is acknowledged as stored in this destination of the mode. */
const belongsIn = (destination: DestinationName, line: Line, mode: Mode, given: WorldOptions): boolean =>
  canStore(destination, line) && (destination === 'timestream' || !isLeftOut(line, mode, given));

/** Whether the destination refuses the line, so that it must be reported. Lines that are not valid are not the matter of a destination. */
const isRefusedBy = (destination: DestinationName, line: Line, mode: Mode, given: WorldOptions): boolean =>
  line.kind !== 'faulty' &&
  !canStore(destination, line) &&
  !(destination === 'timestream' && isElsewhere(line, mode, given));

/** Timestream says only in its response that it does not store the line. */
const isRefusedLate = ({ kind }: Line): boolean => kind === 'invalid' || kind === 'rejected';

/** The response is the worst outcome, it names every refused line, and the log counts every point once. */
export function checkResponse(attempt: Attempt, invocation: Invocation, given: WorldOptions): void {
  const { lines, mode, response, time, unit } = attempt;
  const { statusCode, body } = response;
  const isOptional = (destination: DestinationName): boolean =>
    mode === 'both' && destination === 'influxdb' && !given.secondaryRequired;
  const keptNumbers = new Set(invocation.kept.flatMap(numbersIn));
  const isSettled = (destination: DestinationName, line: Line): boolean => {
    if (invocation.stored[destination].has(expected(line, time, unit))) return true;
    return destination === 'influxdb' && isOptional(destination) && keptNumbers.has(line.n);
  };
  const unsettled = destinationsOf(mode).flatMap((destination) =>
    lines
      .filter((line) => belongsIn(destination, line, mode, given) && !isSettled(destination, line))
      // Timestream refused the same line before, so it is not sent to InfluxDB.
      .filter(({ kind, n }) => mode !== 'both' || kind !== 'invalid' || invocation.forInfluxDB.has(n))
      .map((line) => `${destination}: ${line.kind} ${line.n}`),
  );
  const required = destinationsOf(mode).filter((destination) => !isOptional(destination));
  const refused = required.flatMap((destination) =>
    lines.flatMap((line, index) =>
      isRefusedBy(destination, line, mode, given) ? [{ line, number: index + 1, destination }] : [],
    ),
  );
  const faulty = lines.filter(({ kind }) => kind === 'faulty');
  const isUnparsable = ({ kind }: Line): boolean => kind === 'unparsable' && given.influxdb.engine === 'v2';
  const isRetry = statusCode === 429 || statusCode === 503;
  if (unsettled.length > 0) assert.ok(isRetry, `${statusCode}, but not stored in ${unsettled.join(', ')}: ${body}`);
  // A refused line may be without a response too; otherwise there is no reason to send the request again.
  else if (refused.every(({ line }) => limitOf(line) !== undefined) && !isOptional('influxdb'))
    assert.ok(!isRetry, body);
  if (!isRetry) {
    const isInvalid = faulty.length > 0 || refused.some(({ line }) => isUnparsable(line));
    assert.equal(statusCode, isInvalid ? 400 : refused.length > 0 ? 422 : 204, body);
    const prefix = (destination: DestinationName): string => (mode === 'both' ? `${destination}: ` : '');
    for (const { line, number, destination } of refused) {
      const reason = `line ${number}: ${prefix(destination)}`;
      assert.ok(JSON.parse(body).message.includes(reason), `${destination} refused line ${number}: ${body}`);
      if (isUnparsable(line)) assert.ok(body.includes(`n=${line.n}i`), `line ${number} is not named: ${body}`);
    }
    const dropped = faulty.length + new Set(refused.map(({ number }) => number)).size;
    if (dropped > 0) assert.match(body, new RegExp(`dropped=${dropped}\\b`));
  }
  checkSums(attempt, invocation, given, isRetry);
}

interface Totals {
  readonly stored: number;
  readonly unstored: number;
  readonly kept?: number;
  readonly rejectedLines?: number;
}

function checkSums(
  { lines, mode, response, time, unit }: Attempt,
  { log, stored }: Invocation,
  given: WorldOptions,
  isRetry: boolean,
): void {
  const entry = log as (Totals & { faultyLines: number; destinations?: Record<DestinationName, Totals> }) | undefined;
  assert.ok(entry, `no entry in the log: ${response.body}`);
  const faulty = lines.filter(({ kind }) => kind === 'faulty').length;
  if (mode === 'both' && !isRetry && given.secondaryRequired) {
    const isInBoth = (line: Line): boolean =>
      line.kind !== 'faulty' && destinationsOf(mode).every((each) => stored[each].has(expected(line, time, unit)));
    assert.equal(entry.stored, lines.filter(isInBoth).length, 'the number of lines in both');
  }
  for (const destination of destinationsOf(mode)) {
    const totals: Totals | undefined = mode === 'both' ? entry.destinations?.[destination] : entry;
    assert.ok(totals);
    const isStored = (line: Line): boolean => stored[destination].has(expected(line, time, unit));
    const storedLines = lines.filter((line) => line.kind !== 'faulty' && isStored(line)).length;
    // A point that InfluxDB has stored is unstored, or kept, if another call for it had no response.
    const isDoubtful = isRetry || (destination === 'influxdb' && mode === 'both' && !given.secondaryRequired);
    if (isDoubtful) assert.ok(totals.stored <= storedLines, `${destination}: ${totals.stored}, not ${storedLines}`);
    else assert.equal(totals.stored, storedLines, `${destination} has stored more or fewer points than the log says`);
    const invalid = mode === 'both' ? 0 : entry.faultyLines - faulty;
    const sum = totals.stored + (totals.rejectedLines ?? 0) + totals.unstored + (totals.kept ?? 0) + invalid;
    const isSent = (line: Line): boolean =>
      line.kind !== 'faulty' && !(destination === 'timestream' ? isElsewhere : isLeftOut)(line, mode, given);
    const most = lines.filter(isSent).length;
    // Lines that Timestream refused in an earlier request are not sent to InfluxDB.
    const remembered = destination === 'timestream' || mode !== 'both' ? 0 : lines.filter(isRefusedLate).length;
    assert.ok(sum <= most && sum >= most - remembered, `${destination}: ${sum} of ${most} points are settled`);
  }
}

/** Every acknowledged point is where it belongs, every refused line is kept, and nothing is stored that was not sent. */
export function checkStored(world: World, attempts: readonly Attempt[], acknowledged: readonly Attempt[]): void {
  const { given } = world;
  const stored = {
    timestream: new Set([...world.timestream.model.stored.values()].map(({ record }) => storedRecord(record))),
    influxdb: world.influxdb.stored,
  };
  const pointsOf = ({ lines, time, unit }: Attempt, isWanted: (line: Line) => boolean): string[] =>
    lines.filter((line) => line.kind !== 'faulty' && isWanted(line)).map((line) => expected(line, time, unit));

  const sent = new Set(attempts.flatMap((attempt) => pointsOf(attempt, () => true)));
  for (const points of Object.values(stored)) {
    for (const point of points) assert.ok(sent.has(point), `stored, but not sent: ${point}`);
  }
  const mustBeOut = attempts.flatMap((attempt) =>
    given.changes === undefined ? pointsOf(attempt, (line) => isLeftOut(line, 'both', given)) : [],
  );
  for (const point of mustBeOut) assert.ok(!stored.influxdb.has(point), `in InfluxDB, but refused: ${point}`);

  for (const attempt of acknowledged) {
    const { mode, lines } = attempt;
    // An event is stored where the function stores points when it is replayed.
    const certain = destinationsOf(mode).filter(
      (destination) =>
        !given.asynchronous || given.changes === undefined || (destination === 'influxdb' && mode !== 'timestream'),
    );
    for (const destination of certain) {
      const points = pointsOf(attempt, (line) => belongsIn(destination, line, mode, given) && !isRefusedLate(line));
      for (const point of points) assert.ok(stored[destination].has(point), `lost in ${destination}: ${point}`);
    }
    const isPlain = ({ kind }: Line): boolean => kind === 'good' || kind === 'timeless';
    for (const point of pointsOf(attempt, isPlain)) {
      assert.ok(stored.timestream.has(point) || stored.influxdb.has(point), `lost: ${point}`);
    }
    if (given.changes !== undefined) continue;
    for (const destination of destinationsOf(mode)) {
      if (!given.asynchronous && (destination === 'timestream' || given.secondaryRequired)) continue;
      for (const line of lines.filter((each) => isRefusedBy(destination, each, mode, given))) {
        if (destination === 'influxdb' && isRefusedLate(line)) continue;
        assert.ok(
          isKept(world, line, destination),
          `refused by ${destination}, and nobody knows: ${line.kind} ${line.n}`,
        );
      }
    }
  }
}

const isKept = ({ invocations }: World, { n }: Line, destination: DestinationName): boolean =>
  invocations.some(
    ({ kept, keptInBucket }) =>
      keptInBucket.some((text) => numbersInText(text).includes(n)) ||
      kept.some(
        (message) =>
          message.rejectedLines !== undefined &&
          // Without a destination, the lines are in neither.
          (message.destination ?? destination) === destination &&
          numbersIn(message).includes(n),
      ),
  );
