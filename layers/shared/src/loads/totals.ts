/** Adds up the results of items, for a load and for each of its datasets. */
import { earlier, later } from '../points/time-span';
import type { ItemResult } from './item-result';
import type { Totals } from './summary';

const MAX_REASONS = 50;
const OTHER = 'other reasons';

export class TotalsCounter {
  private readonly sums = {
    source_records: 0,
    points_written: 0,
    batches_processed: 0,
    failed_batches: 0,
    failed_points: 0,
    rejected_points: 0,
    duplicates: 0,
  };
  private earliest: string | null = null;
  private latest: string | null = null;
  private readonly invalid = new Map<string, number>();
  private readonly rejected = new Map<string, number>();
  private readonly warnings = new Map<string, number>();

  add(result: ItemResult): void {
    this.sums.source_records += result.sourceRecords;
    this.sums.points_written += result.pointsWritten;
    this.sums.batches_processed += result.batches;
    this.sums.failed_batches += result.failedBatches;
    this.sums.failed_points += result.failedPoints;
    this.sums.rejected_points += result.rejectedPoints;
    this.sums.duplicates += result.duplicates;
    this.earliest = earlier(this.earliest, result.earliest);
    this.latest = later(this.latest, result.latest);
    for (const [reason, count] of Object.entries(result.invalidRecords)) increase(this.invalid, reason, count);
    for (const { reason, lines } of result.rejected) increase(this.rejected, reason, lines);
    for (const { kind, column, count } of result.warnings) increase(this.warnings, `${kind} ${column}`, count);
  }

  totals(): Totals {
    return {
      ...this.sums,
      earliest: this.earliest,
      latest: this.latest,
      invalid_records: Object.fromEntries(this.invalid),
      rejected_reasons: Object.fromEntries(this.rejected),
      warnings: Object.fromEntries(this.warnings),
    };
  }
}

/** Adds to the count of a reason. Above 50 reasons, further ones count as `other reasons`, so that a summary stays small. */
function increase(counts: Map<string, number>, reason: string, count: number): void {
  const name = counts.has(reason) || counts.size < MAX_REASONS ? reason : OTHER;
  counts.set(name, (counts.get(name) ?? 0) + count);
}
