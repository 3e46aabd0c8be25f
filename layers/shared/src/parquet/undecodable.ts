/** Finds the columns of a row group that cannot be decoded, since the decoder does not say which. */
import { DataConversionError } from '../errors';
import type { ParquetMetadata } from './metadata';
import { UndecodableError } from './worker-pool';

/**
 * The error of a row group, naming its columns and what they are.
 * @param names the columns that were read
 * @param probe decodes one column alone, and rejects where that fails
 * @throws what a probe rejects with where the file is not at fault
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
        // Anything else, such as S3 out of reach, says nothing of the column.
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
