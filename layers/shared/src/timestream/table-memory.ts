/**
 * What this process has learnt of tables from Timestream's responses, so that a resend need not find it out again: which tables
 * took a write, which were missing, and which records the service refused.
 */

/** How long a missing table or a refused record is remembered: longer than clients wait before a resend. */
const REMEMBERED_MS = 5 * 60_000;
/** Bounds the memory: 10 MB for keys of 32 bytes and names of tables. */
const MAX_REMEMBERED = 50_000;

interface Remembered {
  /** ms since 1970. */
  readonly at: number;
  readonly reason: string;
}

export class TableMemory {
  /** Tables that took a write, for the life of the process. */
  readonly existing = new Set<string>();
  private readonly missing = new Map<string, Remembered>();
  /** By table, then by key of the record. */
  private readonly refused = new Map<string, Map<string, Remembered>>();
  private refusedRecords = 0;
  private lastReason = '';

  /** @param now ms since 1970: a monotonic clock stands still while a container is frozen */
  constructor(private readonly now: () => number = Date.now) {}

  noteExisting(table: string): void {
    this.existing.add(table);
    this.missing.delete(table);
  }

  /** A write found the table missing: whatever was known of it is over. */
  noteMissing(table: string): void {
    this.existing.delete(table);
    this.refusedRecords -= this.refused.get(table)?.size ?? 0;
    this.refused.delete(table);
  }

  /** The table is missing, and is not created for the sake of the request that misses it. */
  noteNotCreated(table: string): void {
    if (this.missing.size >= MAX_REMEMBERED) this.missing.clear();
    this.missing.set(table, { at: this.now(), reason: '' });
  }

  /** True where the table was missing a short time ago, and has not been created here since. */
  wasMissing(table: string): boolean {
    return this.isFresh(this.missing.get(table));
  }

  /** The service refused a call that held nothing but this record. */
  noteRefused(table: string, key: string, reason: string): void {
    if (this.refusedRecords >= MAX_REMEMBERED) {
      this.refused.clear();
      this.refusedRecords = 0;
    }
    let records = this.refused.get(table);
    if (records === undefined) {
      records = new Map();
      this.refused.set(table, records);
    }
    if (!records.has(key)) this.refusedRecords++;
    // One text for all records that are refused for one reason.
    if (reason !== this.lastReason) this.lastReason = reason;
    records.set(key, { at: this.now(), reason: this.lastReason });
  }

  hasRefused(table: string): boolean {
    return this.refused.has(table);
  }

  /** Why the service refused this record a short time ago; undefined where it did not. */
  refusal(table: string, key: string): string | undefined {
    const found = this.refused.get(table)?.get(key);
    return this.isFresh(found) ? found?.reason : undefined;
  }

  private isFresh(remembered: Remembered | undefined): boolean {
    if (remembered === undefined) return false;
    const age = this.now() - remembered.at;
    return age >= 0 && age < REMEMBERED_MS;
  }
}
