/** Checks the quotas of one record. A record above a quota is rejected; the other records of the call are stored. */
import { measureValueBytes } from './measure-value';
import type { RecordShape, WriteRecord } from './record-shape';

const TIME_BYTES = 8;
const MAX_DIMENSION_NAME = 60;
const MAX_NAME = 256;
const MAX_MEASURES = 256;
const MAX_RECORD = 2_048;
/** UTF-8 has at most so many bytes for a character of a JavaScript string. */
const MAX_UTF8 = 3;

const counted = new WeakMap<RecordShape, number>();

/** Characters of the dimension names; Infinity if a name or the number of names may exceed a quota. */
function nameCharacters(shape: RecordShape): number {
  const known = counted.get(shape);
  if (known !== undefined) return known;
  const { dimensions, measures, measureName } = shape;
  const fits =
    dimensions.every((name) => name.length * MAX_UTF8 <= MAX_DIMENSION_NAME) &&
    [measureName, ...measures.map(({ name }) => name)].every((name) => name.length * MAX_UTF8 <= MAX_NAME) &&
    measures.length <= MAX_MEASURES;
  const characters = fits ? dimensions.reduce((sum, name) => sum + name.length, 0) : Number.POSITIVE_INFINITY;
  counted.set(shape, characters);
  return characters;
}

/** Whether the record is so short that it cannot exceed a quota. Counting the bytes of each text takes longer than all other checks. */
function isShort({ shape, dimensions, measures }: WriteRecord): boolean {
  let characters = nameCharacters(shape);
  for (const value of dimensions) characters += value.length;
  // Values other than texts have up to 8 bytes.
  for (const value of measures) characters += typeof value === 'string' ? value.length : 8;
  return TIME_BYTES + characters * MAX_UTF8 <= MAX_RECORD;
}

/** The quota that a record exceeds, as a text; or undefined. Sizes are bytes of UTF-8. */
export function exceededLimit(record: WriteRecord): string | undefined {
  if (isShort(record)) return undefined;
  const { dimensions, measures, shape } = record;
  let dimensionBytes = 0;
  for (const [index, name] of shape.dimensions.entries()) {
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes > MAX_DIMENSION_NAME) return `The dimension name '${name}' exceeds the limit of 60 bytes.`;
    dimensionBytes += nameBytes + Buffer.byteLength(dimensions[index] ?? '');
  }
  if (dimensionBytes > MAX_RECORD) return 'The dimension names and values exceed the limit of 2 kilobytes.';
  if (Buffer.byteLength(shape.measureName) > MAX_NAME) return 'The measure name exceeds the limit of 256 bytes.';
  if (measures.length > MAX_MEASURES) return 'The record exceeds the limit of 256 measures.';

  let valueBytes = 0;
  for (const [index, { name }] of shape.measures.entries()) {
    if (Buffer.byteLength(name) > MAX_NAME) return `The measure name '${name}' exceeds the limit of 256 bytes.`;
    valueBytes += measureValueBytes(measures[index] ?? '');
  }
  if (valueBytes > MAX_RECORD) return 'The measure values exceed the limit of 2048 bytes.';
  if (TIME_BYTES + dimensionBytes + valueBytes > MAX_RECORD) return 'The record exceeds the limit of 2 kilobytes.';
  return undefined;
}
