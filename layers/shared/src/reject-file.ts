/** Collects what was rejected, rows or lines, as compressed JSON Lines, in bounded memory. */
import { gzipSync } from 'node:zlib';

/** Text is compressed once it is this long; each piece is a gzip member, and members behind one another are a gzip file. */
const PIECE_CHARACTERS = 256 * 1024;
/** What is kept of one request or item, compressed. */
const MAX_BYTES = 16 * 1024 * 1024;

/** One that was rejected: a JSON object with the reason. */
export interface Rejected {
  readonly reason: string;
}

export interface RejectFileLimits {
  /** Of the file, compressed; 16 MB where absent. */
  readonly bytes?: number;
  readonly entries?: number;
}

export class RejectFile {
  private bytes = 0;
  private text = '';
  private omitted = 0;
  private entries = 0;
  private readonly pieces: Uint8Array[] = [];

  /** @param about goes before each one's own fields, such as the time and the id of what rejected it. */
  constructor(
    private readonly about: Readonly<Record<string, unknown>>,
    private readonly limits: RejectFileLimits = {},
  ) {}

  /** Beyond a limit they are counted alone. */
  readonly add = (rejected: Rejected): void => {
    const { bytes = MAX_BYTES, entries = Number.POSITIVE_INFINITY } = this.limits;
    if (this.bytes >= bytes || this.entries >= entries) this.omitted += 1;
    else this.append(rejected);
  };

  /** The file, whose last line says how many it leaves out, where it does; undefined where nothing was rejected. */
  finish(): Uint8Array | undefined {
    if (this.omitted > 0) this.append({ omitted: this.omitted, reason: 'the file is full: these are not in it' });
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
