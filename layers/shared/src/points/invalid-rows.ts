/** Counts invalid rows, and renders them as examples and for a reject file. */
import type { PartitionColumns } from '../datasets/partitions';
import type { ArrowColumn } from '../parquet/c-data';
import { cellText } from './cell-text';
import type { InvalidExample, InvalidReason, RejectedRow } from './report';
import type { Tally } from './tally';

export class InvalidRows {
  /** The current record batch. */
  private batch: readonly ArrowColumn[] = [];
  private firstRow = 0;
  private readonly cells = new Map<string, (row: number) => string | null>();

  /**
   * @param constants the mapped columns that have one value in all rows
   * @param onReject called for each invalid row, with a function that renders it: that takes ten times as long as to count it
   */
  constructor(
    private readonly constants: PartitionColumns,
    private readonly tally: Tally,
    private readonly onReject: ((render: () => RejectedRow) => void) | undefined,
  ) {}

  /** Begins a record batch whose first row is the file's row `firstRow`. */
  begin(batch: readonly ArrowColumn[], firstRow: number): void {
    this.batch = batch;
    this.firstRow = firstRow;
    this.cells.clear();
  }

  /** @param row of the record batch */
  add(row: number, reason: InvalidReason, column: string): void {
    const inFile = this.firstRow + row;
    this.tally.reject(reason, column, inFile, () => this.cell(column, row));
    this.onReject?.(() => ({
      row: inFile,
      reason,
      column,
      value: this.cell(column, row),
      values: {
        ...Object.fromEntries(this.constants),
        ...Object.fromEntries(this.batch.map(({ name }) => [name, this.cell(name, row)])),
      },
    }));
  }

  /** A value of the current record batch, with its row in the file. */
  example(row: number, column: string): InvalidExample {
    return { row: this.firstRow + row, value: this.cell(column, row) };
  }

  private cell(name: string, row: number): string | null {
    const column = this.batch.find((candidate) => candidate.name === name);
    const textAt =
      this.cells.get(name) ??
      (column
        ? cellText(column, column.type.kind === 'bytes' ? 'hex' : undefined)
        : () => this.constants.get(name) ?? null);
    this.cells.set(name, textAt);
    return textAt(row);
  }
}
