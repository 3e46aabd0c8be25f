/** Writes statements of Timestream's query language. Source: "Query language reference" in the Timestream developer guide. */
import type { Window } from './records';

/** A quoted identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A string literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const tableName = (database: string, table: string): string => `${identifier(database)}.${identifier(table)}`;

/** The condition for rows of a half-open window, exact to the nanosecond. */
export const within = ({ from, to }: Window): string =>
  `time >= from_nanoseconds(${from}) AND time < from_nanoseconds(${to})`;

/** @param to ns, exclusive */
export const before = (to: bigint): string => `time < from_nanoseconds(${to})`;

export const showTables = (database: string): string => `SHOW TABLES FROM ${identifier(database)}`;

export const describeTable = (database: string, table: string): string => `DESCRIBE ${tableName(database, table)}`;

/**
 * The UNLOAD of a window. `SELECT *` lists the dimensions, `measure_name`, `time` and the measures, in this order. There are no partition
 * columns: a window is small enough, and a partition would only spread its rows over more files.
 * @param folder `s3://bucket/prefix/`
 * @param kmsKey ARN of the key that encrypts the files; without it, S3's own key does
 */
export function unload(database: string, table: string, window: Window, folder: string, kmsKey?: string): string {
  const select = `SELECT * FROM ${tableName(database, table)} WHERE ${within(window)}`;
  const encryption = kmsKey === undefined ? '' : `, encryption = 'SSE_KMS', kms_key = ${literal(kmsKey)}`;
  return `UNLOAD (${select}) TO ${literal(folder)} WITH (format = 'PARQUET', compression = 'GZIP'${encryption})`;
}
