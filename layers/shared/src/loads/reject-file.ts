/** Collects rejected rows as compressed JSON Lines, in bounded memory. */
import { gzipSync } from 'node:zlib';
import type { RejectedRow } from '../points/report';

/** Text is compressed once it is this long; each piece is a gzip member, and members behind one another are a gzip file. */
const PIECE_CHARACTERS = 256 * 1024;
/** What is kept of the rejected rows of one item. */
const MOST_BYTES = 16 * 1024 * 1024;

export class RejectFile {
  /** Rows in it. */
  rows = 0;
  private bytes = 0;
  private text = '';
  private readonly pieces: Uint8Array[] = [];

  /** @param about goes before each row's own fields, such as the object that it is of. */
  constructor(
    private readonly about: Readonly<Record<string, unknown>>,
    private readonly mostBytes = MOST_BYTES,
  ) {}

  /** Beyond the limit rows are left out; the counts by reason hold them all. */
  readonly add = (row: RejectedRow): void => {
    if (this.bytes >= this.mostBytes) return;
    this.rows += 1;
    this.text += `${JSON.stringify({ ...this.about, ...row })}\n`;
    if (this.text.length >= PIECE_CHARACTERS) this.compress();
  };

  /** The file; undefined where no row was rejected. */
  finish(): Uint8Array | undefined {
    if (this.rows === 0) return undefined;
    if (this.text !== '') this.compress();
    return Buffer.concat(this.pieces);
  }

  private compress(): void {
    const piece = gzipSync(this.text, { level: 1 });
    this.bytes += piece.length;
    this.pieces.push(piece);
    this.text = '';
  }
}
