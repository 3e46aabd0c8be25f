/** A Blob that fetches its bytes range by range, so that parquet-wasm can read a file that is not in memory. */
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
