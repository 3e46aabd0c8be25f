/**
 * Distributes rows to partitions and files. Rows are buffered until they are worth a row group; the memory of all buffers together is
 * bounded. A file that would exceed the maximum size is followed by another one.
 */
import { randomInt } from 'node:crypto';
import type { DuckDBValue } from '@duckdb/node-api';
import { validationError } from '../errors';
import type { ColumnInfo } from '../sql-select';
import { datum } from '../sql-values';
import type { ExportObject } from './destination';
import type { ResultFile, ResultFormat } from './result-file';

type Columns = readonly (readonly DuckDBValue[])[];

/** A complete file. */
export interface WrittenFile {
  readonly key: string;
  readonly bytes: number;
  readonly rows: number;
}

export interface ResultsOptions {
  readonly format: ResultFormat;
  /** All columns of the rows; the last `partitionColumns` of them are not in the files. */
  readonly columns: readonly ColumnInfo[];
  readonly partitionColumns: number;
  readonly maxFileBytes: number;
  /** Keys are `<prefix>[column=value/]<query>_<suffix>`. */
  readonly prefix: string;
  readonly query: string;
  readonly create: (key: string) => Promise<ExportObject>;
}

const MAX_PARTITIONS = 100;
/** The limit of S3, bytes. */
const MAX_KEY = 1024;
/** Estimated bytes of the rows of a row group, and of all buffered rows. */
const ROW_GROUP_BYTES = 4 * 2 ** 20;
const BUFFERED_BYTES = 8 * ROW_GROUP_BYTES;
/** Hive's name for NULL and for an empty text. */
const NO_VALUE = '__HIVE_DEFAULT_PARTITION__';

interface OpenFile extends ResultFile {
  readonly key: string;
  readonly object: ExportObject;
  bytes: number;
  rows: number;
}

interface Partition {
  readonly folder: string;
  columns: DuckDBValue[][];
  buffered: number;
  file: OpenFile | undefined;
  /** Bytes of its last row group in a file. */
  lastGroup: number;
}

export class Results {
  readonly files: WrittenFile[] = [];
  private readonly partitions = new Map<string, Partition>();
  private buffered = 0;
  private readonly fileColumns: number;
  private readonly groupBytes: number;

  constructor(private readonly options: ResultsOptions) {
    this.fileColumns = options.columns.length - options.partitionColumns;
    this.groupBytes = Math.min(ROW_GROUP_BYTES, options.maxFileBytes / 4);
  }

  /** @throws ValidationException for a value that cannot name a partition, and for too many partitions */
  async add(columns: Columns): Promise<void> {
    for (const [partition, rows] of this.partitioned(columns)) {
      let bytes = 0;
      partition.columns.forEach((buffer, i) => {
        const values = columns[i] ?? [];
        const append = (value: DuckDBValue = null) => {
          buffer.push(value);
          bytes += value === null ? 1 : typeof value === 'string' ? 8 + value.length : 8;
        };
        if (rows === undefined) for (const value of values) append(value);
        else for (const row of rows) append(values[row]);
      });
      partition.buffered += bytes;
      this.buffered += bytes;
      if (partition.buffered >= this.groupBytes) await this.flush(partition);
    }
    while (this.buffered > BUFFERED_BYTES) {
      await this.flush([...this.partitions.values()].reduce((a, b) => (b.buffered > a.buffered ? b : a)));
    }
  }

  /** Writes everything that is buffered, and completes every file. If one fails, the others are still completed. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const partition of this.partitions.values()) {
      for (const step of [() => this.flush(partition), () => this.complete(partition)]) {
        await step().catch((error: unknown) => failures.push(error));
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** The rows of each partition; undefined stands for all rows. */
  private partitioned(columns: Columns): Iterable<[Partition, readonly number[] | undefined]> {
    const keys = this.options.columns.slice(this.fileColumns).map((column, i) => ({
      name: escaped(column.Name),
      scalar: column.Type.ScalarType,
      values: columns[this.fileColumns + i] ?? [],
    }));
    if (keys.length === 0) return [[this.partition(''), undefined]];
    const rows = new Map<Partition, number[]>();
    for (let row = 0; row < (keys[0]?.values.length ?? 0); row++) {
      const folder = keys.map(({ name, scalar, values }) => `${name}=${partitionValue(values[row] ?? null, scalar)}/`);
      const partition = this.partition(folder.join(''));
      const list = rows.get(partition);
      if (list === undefined) rows.set(partition, [row]);
      else list.push(row);
    }
    return rows;
  }

  private partition(folder: string): Partition {
    const known = this.partitions.get(folder);
    if (known !== undefined) return known;
    if (this.partitions.size >= MAX_PARTITIONS) {
      throw validationError(`UNLOAD: the query has more than ${MAX_PARTITIONS} partitions, the maximum.`);
    }
    const columns = Array.from({ length: this.fileColumns }, (): DuckDBValue[] => []);
    const partition: Partition = { folder, columns, buffered: 0, file: undefined, lastGroup: 0 };
    this.partitions.set(folder, partition);
    return partition;
  }

  private async flush(partition: Partition): Promise<void> {
    const { columns } = partition;
    const rows = columns[0]?.length ?? 0;
    if (rows === 0) return;
    partition.columns = columns.map(() => []);
    this.buffered -= partition.buffered;
    partition.buffered = 0;
    const { file: before } = partition;
    if (before !== undefined && before.bytes + partition.lastGroup > this.options.maxFileBytes) {
      await this.complete(partition);
    }
    partition.file ??= await this.open(partition);
    const { file } = partition;
    const start = file.bytes;
    await file.add(columns);
    file.rows += rows;
    partition.lastGroup = file.bytes - start;
  }

  private async open({ folder }: Partition): Promise<OpenFile> {
    const { prefix, query, format, create } = this.options;
    const key = `${prefix}${folder}${query}_${suffix()}${format.extension}`;
    if (Buffer.byteLength(key) > MAX_KEY) throw validationError(`UNLOAD: the key ${key} exceeds ${MAX_KEY} bytes.`);
    const object = await create(key);
    const progress = { key, object, bytes: 0, rows: 0 };
    const form = await format.open((bytes) => {
      progress.bytes += bytes.length;
      return object.write(bytes);
    });
    return Object.assign(progress, form);
  }

  private async complete(partition: Partition): Promise<void> {
    const { file } = partition;
    if (file === undefined) return;
    partition.file = undefined;
    try {
      await file.end();
    } finally {
      await file.object.close();
    }
    this.files.push({ key: file.key, bytes: file.bytes, rows: file.rows });
  }
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const suffix = (): string => Array.from({ length: 16 }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** @throws ValidationException for text that is not ASCII */
function partitionValue(value: DuckDBValue, scalar: string): string {
  const cell = datum(value, scalar);
  const text = 'ScalarValue' in cell ? cell.ScalarValue : '';
  if (!/^[\0-\x7f]*$/.test(text)) {
    throw validationError(`UNLOAD: '${text}' cannot be a partition: values of partition columns must be ASCII.`);
  }
  return text === '' ? NO_VALUE : escaped(text);
}

/** As Hive escapes the names of folders; spaces stay. */
const escaped = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Hive escapes them.
  text.replace(/[\0-\x1f\x7f"#%'*/:=?\\{[\]^]/g, (character) => {
    const hex = character.charCodeAt(0).toString(16).toUpperCase();
    return `%${hex.padStart(2, '0')}`;
  });
