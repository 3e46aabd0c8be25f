/** Reports the lines of a request that were not stored: their number, and the reasons for the first ones. */
import type { LineDecoder } from '../line-protocol/decoder';

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
}

export class LineReport {
  /**
   * @param limit number of lines that `reasons` returns: the first ones of the request
   * @param onLine called with each line when it is added
   */
  constructor(
    private readonly limit = MAX_REASONS,
    private readonly onLine?: (line: LineReason) => void,
  ) {}

  /** Number of lines that are not valid line protocol. */
  faultyLines = 0;
  /** Number of lines with a point that Timestream cannot store. */
  rejectedLines = 0;
  private readonly first: LineReason[] = [];

  /** Adds the decoder's current line, which is not valid line protocol. */
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

  /** Adds a line with a point that cannot be stored. */
  rejected({ line, start, end }: LinePlace, reason: string): void {
    this.rejectedLines++;
    // The service rejects records after all lines were read, so rejections arrive out of order. Keep the first lines by number.
    const found = { line, start, end, reason: `line ${line}: ${shortened(reason)}` };
    this.onLine?.(found);
    this.first.push(found);
    if (this.first.length >= 2 * this.limit) this.first.splice(0, this.first.length, ...this.reasons());
  }

  /** The first lines and their reasons, in the order of the request. */
  reasons(): LineReason[] {
    return [...this.first].sort((a, b) => a.line - b.line).slice(0, this.limit);
  }
}

const shortened = (reason: string): string =>
  reason.length > MAX_REASON_CHARACTERS ? `${reason.slice(0, MAX_REASON_CHARACTERS)}...` : reason;
