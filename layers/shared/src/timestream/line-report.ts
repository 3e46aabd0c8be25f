/** Answers for the lines of a request that were not stored: how many, and for the first of them why. */
import type { LineDecoder } from '../line-protocol/decoder';

/** How many lines are answered for one by one. */
const MAX_REASONS = 100;
/** How much of a line an answer repeats. */
const MAX_TEXT_BYTES = 200;
/** A reason quotes names, each as long as a line may be; the answer has to fit what Lambda returns, 6 MB. */
const MAX_REASON_CHARACTERS = 500;

/** A line of the request: its number, from 1, and its bytes with what ends it. */
export interface LinePlace {
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

export interface LineReason extends LinePlace {
  readonly reason: string;
}

export class LineReport {
  /**
   * @param limit how many lines are answered for one by one: the first ones
   * @param onLine is given every line, as it is noted
   */
  constructor(
    private readonly limit = MAX_REASONS,
    private readonly onLine?: (line: LineReason) => void,
  ) {}

  /** Lines that are no line protocol. */
  faultyLines = 0;
  /** Lines whose points Timestream cannot store. */
  rejectedLines = 0;
  private readonly first: LineReason[] = [];

  /** Notes the decoder's current line, which has a fault. */
  faulty(decoder: LineDecoder): void {
    this.faultyLines++;
    const isFull = this.first.length >= this.limit;
    if (isFull && this.onLine === undefined) return;
    const { line, lineStart: start } = decoder;
    const reason = `unable to parse '${decoder.lineText(MAX_TEXT_BYTES)}': ${shortened(decoder.describeError())}`;
    const found = { line, start, end: decoder.endLine(), reason };
    this.onLine?.(found);
    if (!isFull) this.first.push(found);
  }

  /** Notes a line whose point cannot be stored. */
  rejected({ line, start, end }: LinePlace, reason: string): void {
    this.rejectedLines++;
    // The service's rejections come after the lines were read: the answer names the first lines, whoever refused them.
    const found = { line, start, end, reason: `line ${line}: ${shortened(reason)}` };
    this.onLine?.(found);
    this.first.push(found);
    if (this.first.length >= 2 * this.limit) this.first.splice(0, this.first.length, ...this.reasons());
  }

  /** Reasons of the first lines, in the order of the request. */
  reasons(): LineReason[] {
    return [...this.first].sort((a, b) => a.line - b.line).slice(0, this.limit);
  }
}

const shortened = (reason: string): string =>
  reason.length > MAX_REASON_CHARACTERS ? `${reason.slice(0, MAX_REASON_CHARACTERS)}...` : reason;
