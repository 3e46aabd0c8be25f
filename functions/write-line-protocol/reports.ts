/** The reports of the destinations of one request, and the numbers of lines over all of them: each line counts once. */
import type { ConnectorConfig } from 'shared/config';
import type { DestinationName } from 'shared/destination-config';
import { firstReasons, type LineReason, LineReport } from 'shared/line-report';
import type { Destination, DestinationResult, RequestResult } from './destination';
import type { OnRejected, RejectedLine } from './rejected-lines';

/** Whether the request counts as stored without this destination. */
export const isOptional = (index: number, { secondaryRequired }: Pick<ConnectorConfig, 'secondaryRequired'>): boolean =>
  index > 0 && !secondaryRequired;

export class Reports {
  /** One for each destination. */
  readonly all: readonly LineReport[];
  /** The starts of the lines that the first destination refused, for the second one to leave out. */
  readonly leftOut = new Set<number>();
  /** The lines that an optional destination rejected. */
  readonly optional: LineReason[] = [];
  /** With two destinations: the starts of the lines that each of them is known to reject. */
  private readonly rejected: readonly [Set<number>, Set<number>] = [new Set(), new Set()];
  /** The starts of the lines that are for InfluxDB only. */
  private readonly elsewhere = new Set<number>();
  private isDivided = false;

  /** @param onRejected called with every line that is not stored in each required destination, as it is found */
  constructor(
    destinations: readonly Destination[],
    private readonly config: Pick<ConnectorConfig, 'secondaryRequired' | 'influxdbOnly'>,
    body: Buffer,
    onRejected: OnRejected | undefined,
  ) {
    const [{ name: first }, second] = destinations;
    if (second === undefined) {
      const onLine = onRejected && ((line: LineReason) => onRejected(withText(line, body, first), undefined));
      this.all = [new LineReport({ onLine })];
      return;
    }
    this.all = [first, second.name].map((name, index) => {
      const onLine = (line: LineReason): void => {
        this.note(line, index);
        if (isOptional(index, config)) this.optional.push(line);
        else onRejected?.(withText(line, body, name), this.isDivided ? name : undefined);
      };
      const elsewhere = name === 'timestream' ? config.influxdbOnly : undefined;
      return new LineReport({ prefix: `${name}: `, onLine, elsewhere, countsFaulty: index === 0 });
    });
  }

  /** Called before the second destination stores its lines: it has the lines that the first one rejects from now on. */
  divide(): void {
    this.isDivided = true;
  }

  private note({ kind, start, among }: LineReason, index: number): void {
    if (kind === 'elsewhere') this.elsewhere.add(start);
    else {
      if (!this.isDivided) this.leftOut.add(start);
      if (kind === 'rejected' && among === undefined) this.rejected[index]?.add(start);
    }
  }

  resultOf(results: readonly DestinationResult[]): RequestResult {
    const required = this.all.filter((_, index) => !isOptional(index, this.config));
    const sum = (count: (report: LineReport) => number): number =>
      required.reduce((total, report) => total + count(report), 0);
    const [first, second] = this.rejected;
    const rejectedByBoth = required.length > 1 ? numberIn(first, second) : 0;
    return {
      results,
      stored: this.storedInAll(results),
      unstored: Math.max(...results.map(({ unstored }) => unstored)),
      faultyLines: sum(({ faultyLines }) => faultyLines),
      rejectedLines: sum(({ rejectedLines }) => rejectedLines) - rejectedByBoth,
      influxdbOnlyLines: sum(({ elsewhereLines }) => elsewhereLines) - numberIn(this.elsewhere, second),
      reasons: firstReasons(required),
    };
  }

  /** The lines that the second destination has, without those that the first one lacks. */
  private storedInAll([first, second]: readonly DestinationResult[]): number {
    if (second === undefined) return first.stored;
    const [rejectedByFirst, rejectedBySecond] = this.rejected;
    const unstored = new Set(second.unstoredLines?.map(({ start }) => start));
    const isInSecond = (start: number): boolean =>
      !this.leftOut.has(start) && !rejectedBySecond.has(start) && !unstored.has(start);
    const onlyInSecond = [...rejectedByFirst, ...this.elsewhere].filter(isInSecond).length;
    return Math.max(0, second.stored - onlyInSecond - first.unstored);
  }
}

function numberIn(starts: ReadonlySet<number>, others: ReadonlySet<number>): number {
  let count = 0;
  for (const start of starts) if (others.has(start)) count++;
  return count;
}

function withText({ line, start, end, reason, kind }: LineReason, body: Buffer, name: DestinationName): RejectedLine {
  const text = body
    .subarray(start, end)
    .toString()
    .replace(/\r?\n$/, '');
  return { line, reason, text, kind, destination: kind === 'faulty' ? undefined : name };
}
