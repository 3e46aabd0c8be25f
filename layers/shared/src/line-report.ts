/** Reports the lines of a request that a destination did not store: their number, and the reasons for the first ones. */
import type { LineDecoder } from './line-protocol/decoder';
import type { TimestreamLimit } from './timestream/refusal';

/** Maximum number of lines that a response lists with a reason. */
const MAX_REASONS = 100;
/** Maximum bytes of a line that a response quotes. */
const MAX_TEXT_BYTES = 200;
/** A reason may quote names as long as a line, but the response must fit into the 6 MB that Lambda returns. */
const MAX_REASON_CHARACTERS = 500;

/** A line of the request: its number, from 1, and its bytes, including the line break. */
export interface LinePlace {
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

export interface LineReason extends LinePlace {
  readonly reason: string;
  /**
   * `faulty`: not valid line protocol, for every destination; `rejected`: this destination does not store its point; `elsewhere`: only
   * another one stores it.
   */
  readonly kind: 'faulty' | 'rejected' | 'elsewhere';
  /** The number of lines, if the destination rejected some of them without saying which ones. This line is then one of them. */
  readonly among?: number;
}

/** A reason in a response, and the number of lines that it is about. */
export interface ListedReason extends LineReason {
  readonly lines: number;
}

export interface LineReportOptions {
  /** Number of lines that `reasons` returns: the first ones of the request. */
  readonly limit?: number;
  /** Put before the reason of a rejected line, such as `timestream: `. */
  readonly prefix?: string;
  /** Limits of Timestream whose lines are stored elsewhere, so that they are not rejected. */
  readonly elsewhere?: ReadonlySet<TimestreamLimit> | undefined;
  /** Whether lines that are not valid line protocol count; false if another report of the request has them. */
  readonly countsFaulty?: boolean;
  /** Called with each line when it is added. */
  readonly onLine?: ((line: LineReason) => void) | undefined;
}

export class LineReport {
  /** Number of lines that are not valid line protocol. */
  faultyLines = 0;
  /** Number of these lines that the decoder accepted, but that the destination cannot parse. */
  unparsableLines = 0;
  /** Number of lines with a point that the destination cannot store. */
  rejectedLines = 0;
  /** Number of lines beyond a limit of Timestream that only the other destination stores. */
  elsewhereLines = 0;
  private readonly first: ListedReason[] = [];
  private readonly limit: number;
  private readonly prefix: string;
  private readonly elsewhere: ReadonlySet<TimestreamLimit> | undefined;
  private readonly countsFaulty: boolean;
  private readonly onLine: ((line: LineReason) => void) | undefined;

  constructor({ limit = MAX_REASONS, prefix = '', elsewhere, countsFaulty = true, onLine }: LineReportOptions = {}) {
    this.limit = limit;
    this.prefix = prefix;
    this.elsewhere = elsewhere;
    this.countsFaulty = countsFaulty;
    this.onLine = onLine;
  }

  /** Adds the decoder's current line, which is not valid line protocol. */
  faulty(decoder: LineDecoder): void {
    if (!this.countsFaulty) return;
    this.faultyLines++;
    const isFull = this.first.length >= this.limit;
    if (isFull && this.onLine === undefined) return;
    const { line, lineStart: start } = decoder;
    const reason = `unable to parse '${decoder.lineText(MAX_TEXT_BYTES)}': ${shortened(decoder.describeError())}`;
    const found = { line, start, end: decoder.endLine(), reason, kind: 'faulty' as const };
    this.onLine?.(found);
    if (!isFull) this.first.push({ ...found, lines: 1 });
  }

  /** Adds a line of the body that the decoder accepted, but that the destination cannot parse. */
  unparsable(place: LinePlace, body: Uint8Array, reason: string): void {
    this.faultyLines++;
    this.unparsableLines++;
    const text = `unable to parse '${quoted(place, body)}': at line ${place.line}: ${this.prefix}${shortened(reason)}`;
    this.add(place, text, 'rejected');
  }

  /** Adds a line with a point that cannot be stored, because of this limit of Timestream or for another reason. */
  rejected(place: LinePlace, reason: string, limit?: TimestreamLimit): void {
    const text = `line ${place.line}: ${this.prefix}${shortened(reason)}`;
    if (limit !== undefined && this.elsewhere?.has(limit)) {
      this.elsewhereLines++;
      this.onLine?.({ ...numbers(place), reason: `${text}: stored in influxdb only`, kind: 'elsewhere' });
      return;
    }
    this.rejectedLines++;
    this.add(place, text, 'rejected');
  }

  /** Adds `count` of the lines, whose points cannot be stored; the destination does not say which ones they are. */
  rejectedSome(count: number, among: readonly LinePlace[], reason: string): void {
    const [first] = among;
    if (count === 0 || first === undefined) return;
    this.rejectedLines += count;
    const text = `${count} of ${among.length} lines from line ${first.line}: ${this.prefix}${shortened(reason)}`;
    const found = { reason: text, kind: 'rejected' as const, among: among.length };
    for (const place of among) this.onLine?.({ ...numbers(place), ...found });
    this.keep({ ...numbers(first), ...found, lines: count });
  }

  private add(place: LinePlace, reason: string, kind: LineReason['kind']): void {
    const found = { ...numbers(place), reason, kind };
    this.onLine?.(found);
    this.keep({ ...found, lines: 1 });
  }

  private keep(found: ListedReason): void {
    // The service rejects records after all lines were read, so rejections arrive out of order. Keep the first lines by number.
    this.first.push(found);
    if (this.first.length >= 2 * this.limit) this.first.splice(0, this.first.length, ...this.reasons());
  }

  /** The first lines and their reasons, in the order of the request. */
  reasons(): ListedReason[] {
    return [...this.first].sort((a, b) => a.line - b.line).slice(0, this.limit);
  }
}

/** The first reasons of all reports, in the order of the request. */
export function firstReasons(reports: readonly LineReport[], limit = MAX_REASONS): ListedReason[] {
  const all = reports.flatMap((report) => report.reasons());
  return reports.length === 1 ? all : all.sort((a, b) => a.line - b.line).slice(0, limit);
}

/** The number of lines that the reasons are about. A line counts once, with the reasons of two destinations too. */
export function linesIn(reasons: readonly ListedReason[]): number {
  const known = new Set<number>();
  let others = 0;
  for (const { start, lines, among } of reasons) {
    if (among === undefined) known.add(start);
    else others += lines;
  }
  return known.size + others;
}

/** The reason for a line above the bound of the request. */
export const lineTooLong = (bytes: number, most: number): string =>
  `line of ${bytes} bytes: at most ${most} are allowed`;

const numbers = ({ line, start, end }: LinePlace): LinePlace => ({ line, start, end });

const shortened = (reason: string): string =>
  reason.length > MAX_REASON_CHARACTERS ? `${reason.slice(0, MAX_REASON_CHARACTERS)}...` : reason;

function quoted({ start, end }: LinePlace, body: Uint8Array): string {
  const shown = Buffer.from(body.subarray(start, Math.min(end, start + MAX_TEXT_BYTES))).toString();
  return end - start > MAX_TEXT_BYTES ? `${shown}...` : shown.replace(/\r?\n$/, '');
}
