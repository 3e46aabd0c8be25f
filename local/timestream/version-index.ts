/** What is known of each stored record without reading it: its version, a digest of its values, and its row. */
import { createHash } from 'node:crypto';
import type { WriteRecord } from './record';
import { INTERNAL, type Store } from './store';

export interface StoredVersion {
  readonly version: bigint;
  readonly values: string;
  readonly row: bigint;
}

// Each part carries its length, so that different lists never make one text.
const digest = (parts: readonly string[]): string => {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  return createHash('md5').update(text).digest('base64');
};

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

/** A key of (dimensions, time, measure name), whatever the order of the dimensions. */
export const identityOf = (record: WriteRecord): string =>
  digest([
    String(record.time),
    record.measureName,
    ...[...record.dimensions].sort(byName).flatMap(({ name, value }) => [name, value]),
  ]);

/** A digest of the measures, whatever their order. */
export const valuesOf = (record: WriteRecord): string =>
  digest([...record.measures].sort(byName).flatMap(({ name, type, value }) => [name, type, String(value)]));

/** The stored versions of one table by identity. About 200 bytes of memory a record. */
export class VersionIndex {
  private constructor(
    private readonly versions: Map<string, StoredVersion>,
    private nextRow: bigint,
  ) {}

  static async load(store: Store, records: string): Promise<VersionIndex> {
    const versions = new Map<string, StoredVersion>();
    let last = -1n;
    for (const [id, version, values, row] of await store.rows(
      `SELECT _id, _version, _values, _row FROM ${INTERNAL}.${records} ORDER BY _row`,
    )) {
      last = BigInt(String(row));
      versions.set(String(id), { version: BigInt(String(version)), values: String(values), row: last });
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
