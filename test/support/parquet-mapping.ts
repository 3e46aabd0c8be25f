/** Mappings of small files with the columns t, tag and v. */
import type { DatasetMapping } from 'shared/datasets/mapping';

interface Columns {
  readonly time?: string;
  readonly unit?: 's' | 'ms' | 'us' | 'ns';
  readonly zone?: string;
  /** Optional tags. */
  readonly tags?: readonly string[];
  readonly number?: string;
  readonly texts?: readonly string[];
}

/** A dataset x with the measurement m; its number field is not required if it has text fields. */
export function mapping({
  time = 't',
  unit,
  zone,
  tags = ['tag'],
  number = 'v',
  texts = [],
}: Columns = {}): DatasetMapping {
  return {
    name: 'x',
    measurement: 'm',
    time: { column: time, unit, zone },
    tags: { required: [], optional: [...tags] },
    fields: [
      { column: number, type: 'number', required: texts.length === 0 },
      ...texts.map((column) => ({ column, type: 'text' as const })),
    ],
    required: [],
    checks: { known: {}, ranges: {} },
  };
}
