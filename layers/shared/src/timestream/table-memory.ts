/**
 * Remembers what Timestream's responses showed: which tables exist, which tables are missing, and which records the service
 * refused. So a resend does not repeat calls with a known result.
 */

/** A missing table or a refused record is remembered for this time, which is longer than clients wait before a resend. */
const REMEMBERED_MS = 5 * 60_000;
/** Maximum number of missing tables, and of refused records. Limits the memory to 10 MB, with 32 bytes per record key. */
const MAX_REMEMBERED = 50_000;

interface Remembered {
  /** ms since 1970. */
  readonly at: number;
  readonly reason: string;
}

export class TableMemory {
  /** Tables that accepted a write, for the lifetime of the process. */
  readonly existing = new Set<string>();
  private readonly missing = new Map<string, Remembered>();
  /** Refused records by table, then by record key. */
  private readonly refused = new Map<string, Map<string, Remembered>>();
  private refusedRecords = 0;
  private lastReason = '';

  /** @param now ms since 1970; a monotonic clock would stop while the container is frozen */
  constructor(private readonly now: () => number = Date.now) {}

  noteExisting(table: string): void {
    this.existing.add(table);
    this.missing.delete(table);
  }

  /** Notes that a write found the table missing. Deletes what was remembered about the table. */
  noteMissing(table: string): void {
    this.existing.delete(table);
    this.refusedRecords -= this.refused.get(table)?.size ?? 0;
    this.refused.delete(table);
  }

  /** Notes that the table is missing and that the request did not create it. */
  noteNotCreated(table: string): void {
    if (this.missing.size >= MAX_REMEMBERED) this.missing.clear();
    this.missing.set(table, { at: this.now(), reason: '' });
  }

  /** Whether the table was missing a short time ago and this process has not seen it since. */
  wasMissing(table: string): boolean {
    return this.isFresh(this.missing.get(table));
  }

  /** Notes that the service refused a call with only this record. */
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
    // Share one string between all records with the same reason.
    if (reason !== this.lastReason) this.lastReason = reason;
    records.set(key, { at: this.now(), reason: this.lastReason });
  }

  hasRefused(table: string): boolean {
    return this.refused.has(table);
  }

  /** Why the service refused this record a short time ago; undefined if it did not. */
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
