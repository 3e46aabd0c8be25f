/** Writes exports as UNLOAD does: manifest, metadata and result files, into a store or a folder. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type ScalarType = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMP';

export interface ResultFile {
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Folders below `results/`, such as `day=1/`. */
  readonly partition?: string;
  readonly extension?: string;
}

export interface Unload {
  /** The folder, with a slash at its end or empty. */
  readonly folder: string;
  /** Name and type, in the order of the SELECT. */
  readonly columns: Readonly<Record<string, ScalarType>>;
  readonly files: readonly ResultFile[];
  readonly format?: 'PARQUET' | 'CSV';
  /** Where the service wrote it, if it was copied afterwards: bucket and folder. */
  readonly written?: string;
  /** Distinguishes queries with the same content. */
  readonly seed?: string;
}

/** A query id has the form of the service's: 63 letters and digits, `_` and ten digits. */
export function queryId(seed: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bytes = [...createHash('sha512').update(seed).digest()];
  return `${bytes
    .slice(0, 63)
    .map((byte) => alphabet[byte % 32])
    .join('')}_1648110331`;
}

/** The objects of an export by key, and its query id. */
export function unload(bucket: string, query: Unload): { id: string; objects: Record<string, Uint8Array> } {
  const { folder, columns, files, format = 'PARQUET', written = `${bucket}/${folder}`, seed = '' } = query;
  const id = queryId(`${folder} ${seed} ${Object.keys(columns).join()} ${files.map(({ rows }) => rows).join()}`);
  const names = files.map(({ partition = '', extension = format === 'CSV' ? 'csv' : 'parquet' }, index) => {
    return `results/${partition}${id}_${String(index).padStart(16, 'a')}.${extension}`;
  });
  const manifest = {
    result_files: files.map(({ bytes, rows }, index) => ({
      url: `s3://${written}${names[index]}`,
      file_metadata: { content_length_in_bytes: bytes.length, row_count: rows },
    })),
    query_metadata: {
      total_content_length_in_bytes: files.reduce((sum, { bytes }) => sum + bytes.length, 0),
      total_row_count: files.reduce((sum, { rows }) => sum + rows, 0),
      result_format: format,
      result_version: 'Amazon Timestream version 1.0.0',
    },
    author: { name: 'Amazon Timestream', manifest_file_version: '1.0' },
  };
  const metadata = {
    ColumnInfo: Object.entries(columns).map(([Name, ScalarType]) => ({ Name, Type: { ScalarType } })),
    Author: { Name: 'Amazon Timestream', MetadataFileVersion: '1.0' },
  };
  const json = (value: object): Uint8Array => Buffer.from(JSON.stringify(value, null, 2));
  return {
    id,
    objects: {
      [`${folder}${id}_manifest.json`]: json(manifest),
      [`${folder}${id}_metadata.json`]: json(metadata),
      ...Object.fromEntries(files.map(({ bytes }, index) => [`${folder}${names[index]}`, bytes])),
    },
  };
}

export const exportFixture = (name: string): Buffer => readFileSync(join(__dirname, '../fixtures/exports', name));

/** The columns of `edge.parquet`, as SELECT * orders them, and a partition column. */
export const EDGE_COLUMNS = {
  device: 'VARCHAR',
  Time: 'VARCHAR',
  MEASURE_NAME: 'VARCHAR',
  measure_name: 'VARCHAR',
  time: 'TIMESTAMP',
  started: 'TIMESTAMP',
  big: 'BIGINT',
  temp: 'DOUBLE',
  Temp: 'DOUBLE',
  note: 'VARCHAR',
  ok: 'BOOLEAN',
  partition_date: 'VARCHAR',
} as const;

export const EDGE: ResultFile = {
  bytes: exportFixture('edge.parquet'),
  rows: 8,
  partition: 'partition_date=25-11-28/',
};

export const SINGLE_COLUMNS = {
  device: 'VARCHAR',
  measure_name: 'VARCHAR',
  time: 'TIMESTAMP',
  'measure_value::bigint': 'BIGINT',
  'measure_value::double': 'DOUBLE',
  'measure_value::varchar': 'VARCHAR',
  'measure_value::boolean': 'BOOLEAN',
} as const;

export const SINGLE: ResultFile = { bytes: exportFixture('single.parquet'), rows: 4 };
