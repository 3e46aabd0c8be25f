/** Keeps the version, a digest of the values and the row number of each stored record in memory. */
import { createHash } from 'node:crypto';
import type { WriteRecord } from './record';
import { INTERNAL, type Store } from './store';

export interface StoredVersion {
  readonly version: bigint;
  readonly values: string;
  readonly row: bigint;
}

const digest = (text: string): string => createHash('md5').update(text).digest('base64');

// Each text is preceded by its length, so that different lists never give the same text.
const part = (text: string): string => `${text.length}:${text}`;

const sorted = <T extends { readonly name: string }>(list: readonly T[]): readonly T[] =>
  [...list].sort((a, b) => (a.name < b.name ? -1 : 1));

/** A key for (dimensions, time, measure name). It does not depend on the order of the dimensions. */
export function identityOf({ time, measureName, dimensions }: WriteRecord): string {
  let text = `${time} ${part(measureName)}`;
  for (const { name, value } of sorted(dimensions)) text += part(name) + part(value);
  return digest(text);
}

/** A digest of the measures. It does not depend on their order. */
export function valuesOf({ measures }: WriteRecord): string {
  let text = '';
  for (const { name, type, value } of sorted(measures)) text += part(name) + type + part(String(value));
  return digest(text);
}

/** The stored versions of one table, by identity. It takes about 230 bytes of memory per record. */
export class VersionIndex {
  private constructor(
    private readonly versions: Map<string, StoredVersion>,
    private nextRow: bigint,
  ) {}

  static async load(store: Store, records: string): Promise<VersionIndex> {
    const versions = new Map<string, StoredVersion>();
    let last = -1n;
    for await (const [ids, numbers, values, rows] of store.columns<[string, bigint, string, bigint]>(
      `SELECT _id, _version, _values, _row FROM ${INTERNAL}.${records}`,
    )) {
      for (const [i, id] of ids.entries()) {
        const row = rows[i] ?? -1n;
        if (row > last) last = row;
        versions.set(id, { version: numbers[i] ?? 0n, values: values[i] ?? '', row });
      }
    }
    return new VersionIndex(versions, last + 1n);
  }

  get(id: string): StoredVersion | undefined {
    return this.versions.get(id);
  }

  set(id: string, stored: StoredVersion): void {
    this.versions.set(id, stored);
  }

  /** A number for a new row; rows are numbered in the order of writing. */
  takeRow(): bigint {
    this.nextRow += 1n;
    return this.nextRow - 1n;
  }
}
