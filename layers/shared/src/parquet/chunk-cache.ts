/**
 * The bytes of a row group's column chunks: fetched once, in few requests, and read by parquet-wasm for each slice. parquet-wasm reads
 * chunks that are near each other as one range, with the bytes between them.
 */
import { discard } from './discard';
import type { ReadRange } from './ranged-blob';

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Piece extends Range {
  readonly bytes: ArrayBuffer;
}

/** Adjacent chunks are fetched together up to this size. Larger requests would not overlap. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

export class ChunkCache {
  private pieces: Piece[] = [];

  constructor(private readonly source: ReadRange) {}

  /** Replaces all chunks. Bytes between the given chunks are not fetched. */
  async fetch(chunks: readonly Range[]): Promise<void> {
    this.forget();
    this.pieces = await Promise.all(
      requestsOf(chunks).map(async ({ start, end }) => ({ start, end, bytes: await this.source(start, end) })),
    );
  }

  /** A view of the bytes of a chunk. */
  chunk(start: number, end: number): Uint8Array {
    const piece = this.pieces.find((each) => each.start <= start && end <= each.end);
    if (!piece) throw new Error(`no column chunk at bytes ${start} to ${end} was fetched`);
    return new Uint8Array(piece.bytes, start - piece.start, end - start);
  }

  /** The bytes of all chunks in a range, and zeros between them. */
  readonly read: ReadRange = (start, end) => {
    const whole = this.pieces.find((piece) => piece.start === start && piece.end === end);
    if (whole) return Promise.resolve(whole.bytes);
    const joined = new Uint8Array(end - start);
    const others: Piece[] = [];
    for (const piece of this.pieces) {
      const from = Math.max(start, piece.start);
      const to = Math.min(end, piece.end);
      if (from < to) joined.set(new Uint8Array(piece.bytes, from - piece.start, to - from), from - start);
      if (start <= piece.start && piece.end <= end) discard(piece.bytes);
      else others.push(piece);
    }
    // The next slice reads the same range.
    this.pieces = [...others, { start, end, bytes: joined.buffer }];
    return Promise.resolve(joined.buffer);
  };

  forget(): void {
    discard(...this.pieces.map(({ bytes }) => bytes));
    this.pieces = [];
  }
}

/** The chunks, with adjacent ones joined. */
function requestsOf(chunks: readonly Range[]): Range[] {
  const requests: { start: number; end: number }[] = [];
  for (const { start, end } of [...chunks].sort((a, b) => a.start - b.start)) {
    const last = requests.at(-1);
    if (last && last.end === start && end - last.start <= MAX_REQUEST_BYTES) last.end = end;
    else requests.push({ start, end });
  }
  return requests;
}
