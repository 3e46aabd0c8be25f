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
  private readonly sources: readonly (TextColumn & { readonly texts: TextIds; readonly ids: Int32Array })[];
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
        .map(({ column, encoding }) => {
          const texts = new TextIds();
          return [sourceId(column, encoding), { column, encoding, texts, ids: new Int32Array(capacity) }];
        }),
    );
    this.sources = [...distinct.values()];
    this.tuples = new TupleTable(this.sources.length);
  }

  /** Bytes of all texts kept so far. */
  get bytes(): number {
    return this.sources.reduce((sum, { texts }) => sum + texts.bytes, 0);
  }

  /** Combinations so far: all numbers are below this one. */
  get size(): number {
    return this.tuples.size;
  }

  /** Drops all texts. The numbers of combinations then begin again at 0. */
  forget(): void {
    for (const { texts } of this.sources) texts.forget();
    this.tuples = new TupleTable(this.sources.length);
  }

  /** Writes the number of each row's combination to `ids`. Columns that the file lacks are missing in every row. */
  read(columns: ReadonlyMap<string, ArrowColumn>, rows: number, ids: Int32Array): void {
    for (const { column: name, encoding, texts, ids: own } of this.sources) {
      const column = columns.get(name);
      if (column) texts.read(column, own, encoding);
      else own.fill(0, 0, rows);
    }
    this.tuples.read(
      this.sources.map(({ ids: own }) => own),
      this.sources.map(({ texts }) => texts.count),
      rows,
      ids,
    );
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
