/**
 * Result files in CSV. A value with the delimiter or a line break is in double quotes; the escape character precedes itself and double
 * quotes (source: "UNLOAD Concepts"). NULL is an empty field, and an empty text is `""`.
 */
import { createGzip } from 'node:zlib';
import type { ColumnInfo } from '../sql-select';
import { datum } from '../sql-values';
import type { ResultFile, ResultFormat, Sink } from './result-file';
import type { UnloadStatement } from './statement';

type CsvOptions = Pick<UnloadStatement, 'delimiter' | 'escapedBy' | 'header' | 'compression'>;

export function csvFormat(columns: readonly ColumnInfo[], options: CsvOptions): ResultFormat {
  const field = fieldWriter(options);
  const line = (fields: readonly string[]): string => `${fields.join(options.delimiter)}\n`;
  return {
    extension: options.compression === 'GZIP' ? '.gz' : '.csv',
    open: async (sink): Promise<ResultFile> => {
      const output = options.compression === 'GZIP' ? gzipped(sink) : { write: sink, end: () => Promise.resolve() };
      if (options.header) await output.write(Buffer.from(line(columns.map(({ Name }) => field(Name)))));
      return {
        add: (values) => {
          const fields = values.map((column, i) =>
            column.map((value) => {
              const cell = datum(value, columns[i]?.Type.ScalarType ?? '');
              return 'ScalarValue' in cell ? field(cell.ScalarValue) : '';
            }),
          );
          const rows = (fields[0] ?? []).map((_, row) => line(fields.map((column) => column[row] ?? '')));
          return output.write(Buffer.from(rows.join('')));
        },
        end: output.end,
      };
    },
  };
}

function fieldWriter({ delimiter, escapedBy }: CsvOptions): (text: string) => string {
  const quoted = (text: string) => text === '' || text.includes(delimiter) || /[\r\n]/.test(text);
  return (text) => {
    const isEscaped = text.includes('"') || text.includes(escapedBy);
    const escaped = isEscaped ? text.replaceAll(escapedBy, escapedBy + escapedBy) : text;
    if (escapedBy === '"') return isEscaped || quoted(text) ? `"${escaped}"` : text;
    const complete = isEscaped ? escaped.replaceAll('"', `${escapedBy}"`) : escaped;
    return quoted(text) ? `"${complete}"` : complete;
  };
}

/** Compresses what is written on its way to the sink. */
function gzipped(sink: Sink) {
  const gzip = createGzip({ level: 1 });
  let compressed: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => compressed.push(chunk));
  const drain = async () => {
    const bytes = Buffer.concat(compressed);
    compressed = [];
    if (bytes.length > 0) await sink(bytes);
  };
  return {
    write: async (bytes: Uint8Array) => {
      await new Promise<void>((resolve, reject) => {
        gzip.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
      await drain();
    },
    end: async () => {
      await new Promise<void>((resolve, reject) => {
        gzip.once('end', resolve).once('error', reject).end();
      });
      await drain();
    },
  };
}
