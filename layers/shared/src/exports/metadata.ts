/** The metadata of an export: the columns of one UNLOAD, in the order of its SELECT. */
import { z } from 'zod';
import { parseDocument } from './document';

/** The service begins names with a capital letter, the guide's examples do not: both are accepted. */
const spelt = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [capital(name), part]));
  }, schema);

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

const typeSchema = spelt(z.looseObject({ ScalarType: z.string().optional() })).transform((type) => {
  if (type.ScalarType !== undefined) return type.ScalarType.toUpperCase();
  // ArrayColumnInfo, RowColumnInfo or TimeSeriesMeasureValueColumnInfo.
  return Object.keys(type)[0]?.replace(/ColumnInfo$/, '') ?? 'UNKNOWN';
});

const metadataSchema = spelt(
  z.object({ ColumnInfo: z.array(spelt(z.object({ Name: z.string().min(1), Type: typeSchema }))).min(1) }),
).superRefine(({ ColumnInfo: columns }, context) => {
  const names = columns.map(({ Name }) => Name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length === 0) return;
  const message = `several columns have the same name: ${[...new Set(twice)].join(', ')}. Export them with different names (AS)`;
  context.addIssue({ code: 'custom', path: ['ColumnInfo'], message });
});

export interface ExportColumn {
  /** With its case and `::`. */
  readonly name: string;
  /** VARCHAR, DOUBLE, BIGINT, BOOLEAN, TIMESTAMP, another scalar type, or the kind of a type with several values, such as Array. */
  readonly type: string;
}

/**
 * The columns, in order. Partition columns come last; the files do not have them.
 * Source: "UNLOAD concepts" in the Timestream developer guide, and real exports.
 * @throws DataConversionError that lists every problem
 */
export function readMetadata(text: string, name: string): ExportColumn[] {
  const { ColumnInfo } = parseDocument(metadataSchema, text, name);
  return ColumnInfo.map(({ Name, Type }) => ({ name: Name, type: Type }));
}
