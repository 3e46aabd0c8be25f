/** The manifest and the metadata of an export, in the form in which the service writes them. */
import type { ColumnInfo } from '../sql-select';
import type { WrittenFile } from './results';
import type { UnloadStatement } from './statement';

const AUTHOR = 'Amazon Timestream';

export function manifestOf({ bucket, format }: UnloadStatement, files: readonly WrittenFile[]): string {
  return text({
    result_files: files.map(({ key, bytes, rows }) => ({
      url: `s3://${bucket}/${key}`,
      file_metadata: { content_length_in_bytes: bytes, row_count: rows },
    })),
    query_metadata: {
      total_content_length_in_bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      total_row_count: files.reduce((sum, { rows }) => sum + rows, 0),
      result_format: format,
      result_version: 'Amazon Timestream version 1.0.0',
    },
    author: { name: AUTHOR, manifest_file_version: '1.0' },
  });
}

/** @param columns also those of partitions, last */
export const metadataOf = (columns: readonly ColumnInfo[]): string =>
  text({ ColumnInfo: columns, Author: { Name: AUTHOR, MetadataFileVersion: '1.0' } });

const text = (value: object): string => JSON.stringify(value, null, 2);
