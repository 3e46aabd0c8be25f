/**
 * Remembers what Timestream's responses showed: which tables exist, which tables are missing, and which records the service
 * refused. So a resend does not repeat calls with a known result.
 */

/** A missing table or a refused record is remembered for this time, which is longer than clients wait before a resend. */
const REMEMBERED_MS = 5 * 60_000;
/** Maximum number of missing tables, and of refused records. Limits the memory to 10 MB, with 32 bytes per record key. */
const MAX_REMEMBERED = 50_000;

interface Refusal {
  /** ms since 1970. */
  readonly at: number;
  readonly reason: string;
}

interface RefusedRecords {
  /** Time of the newest refusal, ms since 1970. */
  newest: number;
  readonly byKey: Map<string, Refusal>;
}

export class TableMemory {
  /** Tables that accepted a write, for the lifetime of the process. */
  readonly existing = new Set<string>();
  /** When this process created the tables that no write has reached yet, ms since 1970. */
  private readonly created = new Map<string, number>();
  /** When the tables were found missing, ms since 1970. */
  private readonly missing = new Map<string, number>();
  /** Refused records by table, then by record key. */
  private readonly refused = new Map<string, RefusedRecords>();
  private refusedRecords = 0;
  private lastReason = '';

  /** @param now ms since 1970; a monotonic clock would stop while the container is frozen */
  constructor(private readonly now: () => number = Date.now) {}

  /** Notes that a write reached the table. */
  noteExisting(table: string): void {
    this.existing.add(table);
    this.missing.delete(table);
    this.created.delete(table);
  }

  /** Notes that this process created the table. It may still respond to writes as if it were missing. */
  noteCreated(table: string): void {
    this.noteExisting(table);
    this.created.set(table, this.now());
  }

  /** Whether this process created the table a short time ago and no write has reached it yet. */
  isNew(table: string): boolean {
    return this.isFresh(this.created.get(table));
  }

  /** Notes that a write found the table missing. Deletes what was remembered about the table. */
  noteMissing(table: string): void {
    this.existing.delete(table);
    this.deleteRefused(table);
  }

  /** Notes that the table is missing and that the request did not create it. */
  noteNotCreated(table: string): void {
    if (this.missing.size >= MAX_REMEMBERED) this.missing.clear();
    this.missing.set(table, this.now());
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
    const at = this.now();
    let records = this.refused.get(table);
    if (records === undefined) {
      records = { newest: at, byKey: new Map() };
      this.refused.set(table, records);
    }
    records.newest = at;
    if (!records.byKey.has(key)) this.refusedRecords++;
    // Share one string between all records with the same reason.
    if (reason !== this.lastReason) this.lastReason = reason;
    records.byKey.set(key, { at, reason: this.lastReason });
  }

  /** Whether a record of the table was refused a short time ago. Deletes what is older, so that records need no key again. */
  hasRefused(table: string): boolean {
    if (this.isFresh(this.refused.get(table)?.newest)) return true;
    this.deleteRefused(table);
    return false;
  }

  /** Why the service refused this record a short time ago; undefined if it did not. */
  refusal(table: string, key: string): string | undefined {
    const found = this.refused.get(table)?.byKey.get(key);
    return this.isFresh(found?.at) ? found?.reason : undefined;
  }

  private deleteRefused(table: string): void {
    this.refusedRecords -= this.refused.get(table)?.byKey.size ?? 0;
    this.refused.delete(table);
  }

  private isFresh(at: number | undefined): boolean {
    if (at === undefined) return false;
    const age = this.now() - at;
    return age >= 0 && age < REMEMBERED_MS;
  }
}
