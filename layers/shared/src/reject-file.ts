/** Collects rejected rows or lines as compressed JSON Lines, in bounded memory. */
import { gzipSync } from 'node:zlib';

/** Text is compressed in pieces of this length. Each piece is a gzip member, and consecutive members are a valid gzip file. */
const PIECE_CHARACTERS = 256 * 1024;
/** Default maximum size of the file of one request or item, compressed. */
const MAX_BYTES = 16 * 1024 * 1024;

/** A rejected row or line: a JSON object with the reason. */
export interface Rejected {
  readonly reason: string;
}

export interface RejectFileLimits {
  /** Maximum size of the file, compressed; 16 MB by default. */
  readonly bytes?: number;
  readonly entries?: number;
}

export class RejectFile {
  private bytes = 0;
  private text = '';
  private omitted = 0;
  private entries = 0;
  private readonly pieces: Uint8Array[] = [];

  /** @param about fields that each entry begins with, such as time and id of the request */
  constructor(
    private readonly about: Readonly<Record<string, unknown>>,
    private readonly limits: RejectFileLimits = {},
  ) {}

  /** Whether a limit is reached: further entries are only counted. */
  get isFull(): boolean {
    const { bytes = MAX_BYTES, entries = Number.POSITIVE_INFINITY } = this.limits;
    return this.bytes >= bytes || this.entries >= entries;
  }

  /** Adds an entry; above a limit only counts it. */
  readonly add = (rejected: Rejected): void => {
    if (this.isFull) this.omitted += 1;
    else this.append(rejected);
  };

  /** Counts entries that were not given, because the file is full. */
  omit(entries: number): void {
    this.omitted += entries;
  }

  /** The file; undefined if nothing was rejected. If entries were omitted, the last line has their number. */
  finish(): Uint8Array | undefined {
    if (this.omitted > 0)
      this.append({ omitted: this.omitted, reason: 'the file is full: it omits this number of entries' });
    if (this.text !== '') this.compress();
    return this.pieces.length === 0 ? undefined : Buffer.concat(this.pieces);
  }

  private append(entry: object): void {
    this.entries += 1;
    this.text += `${JSON.stringify({ ...this.about, ...entry })}\n`;
    if (this.text.length >= PIECE_CHARACTERS) this.compress();
  }

  private compress(): void {
    const piece = gzipSync(this.text, { level: 1 });
    this.bytes += piece.length;
    this.pieces.push(piece);
    this.text = '';
  }
}
