/** A Blob that fetches its bytes range by range, so that parquet-wasm can read a file that is not in memory. */
import { discard } from './discard';

export type ReadRange = (start: number, end: number) => Promise<ArrayBuffer>;

/** parquet-wasm's `ParquetFile.fromFile` uses only `size`, `slice(start, end)` and `arrayBuffer()` of a Blob. */
export class RangedBlob extends Blob {
  override readonly size: number;

  constructor(
    private readonly read: ReadRange,
    private readonly start: number,
    private readonly end: number,
  ) {
    super([]);
    this.size = end - start;
  }

  override slice(start = 0, end = this.size): RangedBlob {
    return new RangedBlob(this.read, this.start + start, this.start + Math.min(end, this.size));
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.read(this.start, this.end);
  }
}

/** Keeps the ranges read since the last `forget`, for a row group that is decoded in several slices. */
export class RangeCache {
  private ranges = new Map<string, ArrayBuffer>();

  constructor(private readonly source: ReadRange) {}

  readonly read: ReadRange = async (start, end) => {
    const name = `${start}-${end}`;
    const bytes = this.ranges.get(name) ?? (await this.source(start, end));
    this.ranges.set(name, bytes);
    return bytes;
  };

  forget(): void {
    discard(...this.ranges.values());
    this.ranges = new Map();
  }
}
