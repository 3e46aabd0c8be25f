/** The manifest of an export: the result files of one UNLOAD, with their sizes and row counts. */
import { z } from 'zod';
import { parseDocument } from './document';

const count = z.number().int().min(0);

/**
 * Source: "UNLOAD concepts" in the Timestream developer guide, and real manifests. The guide calls the total of the bytes
 * `content_length_in_bytes`; the service writes `total_content_length_in_bytes`.
 */
const manifestSchema = z
  .object({
    result_files: z.array(
      z.object({
        url: z.string().min(1),
        file_metadata: z.object({ content_length_in_bytes: count, row_count: count }),
      }),
    ),
    query_metadata: z.object({
      total_content_length_in_bytes: count.optional(),
      content_length_in_bytes: count.optional(),
      total_row_count: count,
      result_format: z.string().transform((text, context) => {
        const format = text.toUpperCase();
        if (format === 'PARQUET' || format === 'CSV') return format;
        context.addIssue({ code: 'custom', message: 'must be PARQUET or CSV' });
        return z.NEVER;
      }),
    }),
  })
  .superRefine(({ result_files: files, query_metadata: query }, context) => {
    const sum = (of: (file: (typeof files)[number]['file_metadata']) => number): number =>
      files.reduce((total, { file_metadata }) => total + of(file_metadata), 0);
    const bytes = query.total_content_length_in_bytes ?? query.content_length_in_bytes;
    const sums: [name: string, given: number | undefined, summed: number][] = [
      ['total_row_count', query.total_row_count, sum((file) => file.row_count)],
      ['total_content_length_in_bytes', bytes, sum((file) => file.content_length_in_bytes)],
    ];
    for (const [name, given, summed] of sums) {
      if (given === undefined || given === summed) continue;
      const message = `is ${given}, but the result files add up to ${summed}`;
      context.addIssue({ code: 'custom', path: ['query_metadata', name], message });
    }
  });

export interface ManifestFile {
  /** As the manifest has it: `s3://bucket/folder/results/[col=value/]name`. It may name another bucket if the export was copied. */
  readonly url: string;
  /** Bytes. */
  readonly size: number;
  readonly rows: number;
}

export interface Manifest {
  readonly files: readonly ManifestFile[];
  readonly rows: number;
  readonly format: 'PARQUET' | 'CSV';
}

/** @throws DataConversionError that lists every problem, also totals that differ from the sums over the files */
export function readManifest(text: string, name: string): Manifest {
  const { result_files, query_metadata } = parseDocument(manifestSchema, text, name);
  return {
    files: result_files.map(({ url, file_metadata: { content_length_in_bytes, row_count } }) => ({
      url,
      size: content_length_in_bytes,
      rows: row_count,
    })),
    rows: query_metadata.total_row_count,
    format: query_metadata.result_format,
  };
}
