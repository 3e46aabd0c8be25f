/** What the results of items report beyond the summary: values of warnings, examples of invalid rows, and the files with stored points. */
import type { DatasetMapping } from 'shared/datasets/mapping';
import type { ItemResult } from 'shared/loads/item-result';
import { own } from 'shared/own';

export interface ValueWarning {
  readonly kind: string;
  readonly column: string;
  readonly value: string | undefined;
  readonly range: { readonly min?: number | undefined; readonly max?: number | undefined } | undefined;
  readonly count: number;
  /** The first value that was left out, its row, from 0, and the name of its file. */
  readonly example: { readonly value: string | null; readonly row: number; readonly file: string } | undefined;
}

/** The value of an invalid row. */
export interface Example {
  readonly value: string;
  /** The unit of the mapping's time that would make it a time of these years; undefined if none does or it is another column. */
  readonly unit: string | undefined;
}

const UNITS = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;
/** Seconds since 1970 of the years that measured data probably has. */
const LIKELY = { from: Date.UTC(1980, 0) / 1000, to: Date.UTC(2100, 0) / 1000 };

export class LoadDetails {
  readonly files = new Set<string>();
  private readonly warnings = new Map<string, ValueWarning>();
  private readonly examples = new Map<string, Example>();

  constructor(private readonly mappings: readonly DatasetMapping[]) {}

  add({ item, dataset, pointsWritten, warnings, invalidExamples }: ItemResult): void {
    const mapping = this.mappings.find(({ name }) => name === dataset);
    if (pointsWritten > 0) this.files.add(`${item.bucket}/${item.key}`);
    for (const { kind, column, value, count, example } of warnings) {
      const id = JSON.stringify([dataset, kind, column, value]);
      const known = this.warnings.get(id);
      const first = known?.example ?? (example && { ...example, file: item.key.slice(item.key.lastIndexOf('/') + 1) });
      const range = own(mapping?.checks.ranges ?? {}, column);
      this.warnings.set(id, { kind, column, value, range, count: (known?.count ?? 0) + count, example: first });
    }
    for (const { reason, value } of invalidExamples) {
      if (value === null || this.examples.has(reason)) continue;
      const isTime = reason === `${mapping?.time.column} out-of-range` && mapping?.time.unit !== undefined;
      this.examples.set(reason, { value, unit: isTime ? likelyUnit(value) : undefined });
    }
  }

  /** Values of optional fields and tags that were left out, by column and reason; `load --json` prints it as `leftOut`. */
  leftOut(): object[] {
    return [...this.warnings.values()].flatMap(({ kind, column, value: reason, count: rows, example }) =>
      kind === 'left-out' ? [{ column, reason, rows, ...(example && { example }) }] : [],
    );
  }

  /** The warnings of one kind and column, the most frequent first. */
  warningsOf(key: string): ValueWarning[] {
    const found = [...this.warnings.values()].filter(({ kind, column }) => `${kind} ${column}` === key);
    return found.sort((a, b) => b.count - a.count);
  }

  /** @param key column and reason */
  exampleOf(key: string): Example | undefined {
    return this.examples.get(key);
  }
}

function likelyUnit(text: string): string | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const found = Object.entries(UNITS).find(([, perSecond]) => {
    const seconds = Number(text) / perSecond;
    return seconds >= LIKELY.from && seconds < LIKELY.to;
  });
  return found?.[0];
}
