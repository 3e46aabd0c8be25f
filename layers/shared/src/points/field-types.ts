/** Which columns can be fields of a type. Each value of such a column becomes exactly the same value of the field, or is invalid. */
import type { FieldType } from '../datasets/mapping';
import type { ConcreteField } from '../datasets/resolve';
import type { ColumnType } from '../parquet/column-type';
import { isTextType } from './cell-text';
import { isNumberType } from './number-cells';
import { timeProblem } from './times';

const BOOLEAN_KINDS: readonly ColumnType['kind'][] = ['boolean', 'integer', 'text', 'null'];
const BYTE_KINDS: readonly ColumnType['kind'][] = ['text', 'bytes', 'uuid', 'null'];
const BYTES = 'has bytes that are not text: give it an `encoding`, hex or base64';

/** `name` continues the words "is not". */
export const FIELD_TYPES: Readonly<Record<FieldType, { name: string; accepts: (type: ColumnType) => boolean }>> = {
  number: { name: 'a number', accepts: isNumberType },
  float: { name: 'a number', accepts: isNumberType },
  integer: { name: 'an integer', accepts: isNumberType },
  unsigned: { name: 'an unsigned integer', accepts: isNumberType },
  boolean: { name: 'a boolean', accepts: ({ kind }) => BOOLEAN_KINDS.includes(kind) },
  string: { name: 'text', accepts: isTextType },
  text: { name: 'text', accepts: isTextType },
  timestamp: { name: 'a time', accepts: () => true },
};

/** Why a column cannot be this field; undefined if it can. It continues the words "column NAME". */
export function fieldProblem(field: ConcreteField, type: ColumnType): string | undefined {
  if (field.encoding !== undefined) return encodingProblem(type);
  if (field.type === 'timestamp') return timeProblem(type, field.unit, '`unit` of the field');
  const { name, accepts } = FIELD_TYPES[field.type];
  if (accepts(type)) return undefined;
  return name === 'text' ? textProblem(type) : `is not ${name}`;
}

/** Why a column cannot be text without an encoding. */
export const textProblem = (type: ColumnType): string | undefined => (isTextType(type) ? undefined : BYTES);

/** Why the bytes of a column cannot be encoded. */
export const encodingProblem = ({ kind }: ColumnType): string | undefined =>
  BYTE_KINDS.includes(kind) ? undefined : 'is not a column of bytes, so that it has no `encoding`';
