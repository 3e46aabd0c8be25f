/** Answers for the lines of a request that were not stored: how many, and for the first of them why. */
import type { LineDecoder } from '../line-protocol/decoder';

/** How many lines are answered for one by one. */
const MAX_REASONS = 100;
/** How much of a line an answer repeats. */
const MAX_TEXT_BYTES = 200;

export interface LineReason {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export class LineReport {
  /** @param limit how many lines are answered for one by one: the first ones */
  constructor(private readonly limit = MAX_REASONS) {}

  /** Lines that are no line protocol. */
  faultyLines = 0;
  /** Lines whose points Timestream cannot store. */
  rejectedLines = 0;
  private readonly first: LineReason[] = [];

  /** Notes the decoder's current line, which has a fault. */
  faulty(decoder: LineDecoder): void {
    this.faultyLines++;
    if (this.first.length >= this.limit) return;
    const text = decoder.lineText(MAX_TEXT_BYTES);
    this.first.push({ line: decoder.line, reason: `unable to parse '${text}': ${decoder.describeFault()}` });
  }

  /** Notes a line whose point cannot be stored. */
  rejected(line: number, reason: string): void {
    this.rejectedLines++;
    // The service's rejections come after the lines were read: the answer names the first lines, whoever refused them.
    this.first.push({ line, reason: `line ${line}: ${reason}` });
    if (this.first.length >= 2 * this.limit) this.first.splice(0, this.first.length, ...this.reasons());
  }

  /** Reasons of the first lines, in the order of the request. */
  reasons(): LineReason[] {
    return [...this.first].sort((a, b) => a.line - b.line).slice(0, this.limit);
  }
}
