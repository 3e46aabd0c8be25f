/** Checks the quotas of one record. A record above a quota is rejected; the other records of the call are stored. */
import { measureValueBytes } from './measure-value';
import type { WriteRecord } from './record';

const TIME_BYTES = 8;

/** The quota that a record exceeds, as a text; or undefined. Sizes are bytes of UTF-8. */
export function exceededLimit(record: WriteRecord): string | undefined {
  const { dimensions, measures, measureName } = record;
  let dimensionBytes = 0;
  for (const { name, value } of dimensions) {
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes > 60) return `The dimension name '${name}' exceeds the limit of 60 bytes.`;
    dimensionBytes += nameBytes + Buffer.byteLength(value);
  }
  if (dimensionBytes > 2048) return 'The dimension names and values exceed the limit of 2 kilobytes.';
  if (Buffer.byteLength(measureName) > 256) return 'The measure name exceeds the limit of 256 bytes.';
  if (measures.length > 256) return 'The record exceeds the limit of 256 measures.';

  let valueBytes = 0;
  for (const { name, value } of measures) {
    if (Buffer.byteLength(name) > 256) return `The measure name '${name}' exceeds the limit of 256 bytes.`;
    valueBytes += measureValueBytes(value);
  }
  if (valueBytes > 2048) return 'The measure values exceed the limit of 2048 bytes.';
  if (TIME_BYTES + dimensionBytes + valueBytes > 2048) return 'The record exceeds the limit of 2 kilobytes.';
  return undefined;
}
