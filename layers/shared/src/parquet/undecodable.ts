/** Finds the columns of a row group that cannot be decoded, because the decoder does not report them. */
import { DataConversionError } from '../errors';
import type { ParquetMetadata } from './metadata';
import { UndecodableError } from './worker-pool';

/**
 * Returns the error of a row group with the names, types and encodings of the failed columns.
 * @param names columns that were read
 * @param probe decodes one column alone, and rejects if that fails
 * @throws the error of a probe that is not about the file
 */
export async function describeUndecodable(
  { rowGroup, reason }: UndecodableError,
  object: string,
  { columns, rowGroups }: ParquetMetadata,
  names: readonly string[],
  probe: (column: string) => Promise<unknown>,
): Promise<DataConversionError> {
  const descriptions: string[] = [];
  for (const { name, declared } of columns) {
    const chunk = rowGroups[rowGroup]?.chunks.get(name);
    if (!chunk || !names.includes(name)) continue;
    const isGood = await probe(name).then(
      () => true,
      (failure: unknown) => {
        // Other errors, such as a failed request to S3, are not about the column.
        if (failure instanceof UndecodableError || failure instanceof DataConversionError) return false;
        throw failure;
      },
    );
    if (!isGood) descriptions.push(`${name} (${declared}, ${chunk.codec}, ${chunk.encodings.join(' ')})`);
  }
  const which = descriptions.length > 0 ? `column ${descriptions.join(', column ')}` : `columns ${names.join(', ')}`;
  const message = `${object}, row group ${rowGroup}: corrupt: ${which} cannot be decoded (${reason})`;
  return new DataConversionError(message, { object, rowGroup });
}
