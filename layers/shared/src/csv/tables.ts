/** A CSV file as record batches of text columns, in Arrow's layout. */
import type { ArrowColumn } from '../parquet/c-data';
import type { ColumnInfo } from '../parquet/metadata';
import type { ReadRange } from '../parquet/ranged-blob';
import { BATCH_ROWS } from '../parquet/slice-size';
import type { RecordBatch, RowGroupRange } from '../parquet/tables';
import { type CsvFormat, csvColumns } from './format';
import { type CsvRecord, csvRecords } from './records';

/** Cells of a batch: wide tables have smaller batches. */
const BATCH_CELLS = 256 * 1024;
const OFFSET_BYTES = 4;
/** Maximum bytes of a UTF-16 unit in UTF-8. */
const UNIT_BYTES = 3;

export class CsvTables {
  readonly metadata: { readonly columns: readonly ColumnInfo[] };
  private memory = new ArrayBuffer(0);

  constructor(
    private readonly format: CsvFormat,
    private readonly read: ReadRange,
    private readonly size: number,
  ) {
    this.metadata = { columns: csvColumns(format) };
  }

  /** As ParquetTables; the range is the whole file. @throws UnreadableFile for an error in the file */
  async forEachBatch(
    _range: RowGroupRange,
    names: readonly string[],
    use: (batch: RecordBatch) => void,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    const wanted = this.metadata.columns.flatMap((info, index) => (names.includes(info.name) ? [{ info, index }] : []));
    const rows = Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_CELLS / this.metadata.columns.length)));
    let firstRow = 0;
    let waiting: CsvRecord[] = [];
    const useFirst = (count: number): void => {
      const records = waiting.slice(0, count);
      waiting = waiting.slice(count);
      use({ columns: this.columnsOf(records, wanted), rows: records.length, firstRow });
      firstRow += records.length;
    };
    for await (const records of csvRecords(this.read, this.size, this.format)) {
      for (const record of records) waiting.push(record);
      while (waiting.length >= rows) {
        useFirst(rows);
        await pause();
      }
    }
    if (waiting.length > 0) useFirst(waiting.length);
  }

  /** The memory is used again for the next batch. */
  private columnsOf(
    records: readonly CsvRecord[],
    wanted: readonly { readonly info: ColumnInfo; readonly index: number }[],
  ): ArrowColumn[] {
    const offsetBytes = OFFSET_BYTES * (records.length + 1);
    const units = records.reduce(
      (sum, record) => wanted.reduce((total, { index }) => total + (record[index]?.length ?? 0), sum),
      0,
    );
    const size = wanted.length * offsetBytes + UNIT_BYTES * units;
    if (this.memory.byteLength < size) this.memory = new ArrayBuffer(size);
    const { memory } = this;
    const bytes = Buffer.from(memory);
    let end = wanted.length * offsetBytes;
    return wanted.map(({ info, index }, position) => {
      const start = end;
      const offsets = new Uint32Array(memory, position * offsetBytes, records.length + 1);
      const validity = new Uint8Array((records.length + 7) >> 3);
      for (const [row, record] of records.entries()) {
        const text = record[index];
        if (typeof text === 'string') {
          validity[row >> 3] = (validity[row >> 3] ?? 0) | (1 << (row & 7));
          end += bytes.write(text, end, 'utf8');
        }
        offsets[row + 1] = end - start;
      }
      offsets[0] = 0;
      const buffer = (which: number): number => (which === 2 ? start : position * offsetBytes);
      return { ...info, length: records.length, offset: 0, validity, memory, buffer };
    });
  }
}
