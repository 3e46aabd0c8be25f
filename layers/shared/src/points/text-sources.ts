/** The text columns that lines share: each distinct combination of their values has a number. */
import type { Encoding } from '../datasets/mapping';
import type { PartitionColumns } from '../datasets/partitions';
import type { ArrowColumn } from '../parquet/c-data';
import { TextIds } from './text-ids';
import { TupleTable } from './tuples';

/** A text column, or one of bytes with the encoding that makes them text. */
export interface TextColumn {
  readonly column: string;
  readonly encoding?: Encoding | undefined;
}

/** The text of a column in one combination: undefined without a value, null if it is not UTF-8. */
export type TextOf = (column: string, encoding?: Encoding) => string | null | undefined;

export class TextSources {
  private readonly sources: readonly (TextColumn & { readonly texts: TextIds })[];
  private readonly members: Int32Array;
  private tuples: TupleTable;

  /**
   * @param columns may repeat
   * @param constants columns with one value for all rows, which do not distinguish combinations
   * @param capacity rows of the largest record batch
   */
  constructor(
    columns: readonly TextColumn[],
    private readonly constants: PartitionColumns,
    capacity: number,
  ) {
    const distinct = new Map(
      columns
        .filter(({ column }) => !constants.has(column))
        .map(({ column, encoding }) => [sourceId(column, encoding), { column, encoding, texts: new TextIds() }]),
    );
    this.sources = [...distinct.values()];
    this.members = new Int32Array(this.sources.length * capacity);
    this.tuples = new TupleTable(this.sources.length);
  }

  /** Bytes of all texts kept so far. */
  get bytes(): number {
    return this.sources.reduce((sum, { texts }) => sum + texts.bytes, 0);
  }

  /** Drops all texts. The numbers of combinations then begin again at 0. */
  forget(): void {
    for (const { texts } of this.sources) texts.forget();
    this.tuples = new TupleTable(this.sources.length);
  }

  /** Writes the number of each row's combination to `ids`. Columns that the file lacks are missing in every row. */
  read(columns: ReadonlyMap<string, ArrowColumn>, rows: number, ids: Int32Array): void {
    const { members, tuples } = this;
    const width = this.sources.length;
    if (this.sources.some(({ column }) => !columns.has(column))) members.fill(0);
    for (const [index, { column: name, encoding, texts }] of this.sources.entries()) {
      const column = columns.get(name);
      if (column) texts.read(column, members, index, width, encoding);
    }
    for (let row = 0; row < rows; row++) ids[row] = tuples.idOf(members, row * width);
  }

  /** The texts of a combination. */
  textsOf(id: number): TextOf {
    const values = new Map(
      this.sources.map(({ column, encoding, texts }, index) => {
        return [sourceId(column, encoding), texts.valueOf(this.tuples.member(id, index))];
      }),
    );
    return (column, encoding) => {
      const constant = this.constants.get(column);
      return constant === undefined ? values.get(sourceId(column, encoding)) : constantText(constant, encoding);
    };
  }

  /** The distinct texts of a column so far, also those of rows that are not valid; undefined for bytes that are not UTF-8. */
  valuesOf({ column, encoding }: TextColumn): readonly (string | undefined)[] {
    const constant = this.constants.get(column);
    if (constant !== undefined) return [constantText(constant, encoding)];
    return this.sources.find((each) => each.column === column && each.encoding === encoding)?.texts.values ?? [];
  }
}

const sourceId = (column: string, encoding: Encoding | undefined): string => `${encoding ?? ''} ${column}`;

function constantText(text: string | null, encoding: Encoding | undefined): string | undefined {
  if (text === null || encoding === undefined) return text ?? undefined;
  return Buffer.from(text).toString(encoding);
}
