/** Decides which store a record goes to, by its time and the table's retention. */
import type { TableProperties } from './table-properties';

export interface Arrival {
  readonly store: 'MemoryStore' | 'MagneticStore';
  /** The reason why neither store accepts the record. */
  readonly rejection?: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FUTURE = 15 * 60_000;

const iso = (ms: number) => new Date(ms).toISOString();

/** The times that the stores of a table accept at a moment, ns. */
export class Retention {
  private readonly end: bigint;
  private readonly memoryStart: bigint;
  private readonly magneticStart: bigint;
  private readonly rejection: string;

  /** @param nowMs milliseconds since 1970 */
  constructor({ RetentionProperties, MagneticStoreWriteProperties }: TableProperties, nowMs: number) {
    const { MemoryStoreRetentionPeriodInHours, MagneticStoreRetentionPeriodInDays } = RetentionProperties;
    const magnetic = MagneticStoreWriteProperties.EnableMagneticStoreWrites;
    const end = nowMs + FUTURE;
    const memoryStart = nowMs - MemoryStoreRetentionPeriodInHours * HOUR;
    const magneticStart = Math.max(0, Math.min(memoryStart, nowMs - MagneticStoreRetentionPeriodInDays * DAY));
    const ns = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;
    this.end = ns(end);
    this.memoryStart = ns(memoryStart);
    this.magneticStart = ns(magnetic ? magneticStart : memoryStart);
    const [start, window] = magnetic ? [magneticStart, 'data ingestion window'] : [memoryStart, 'memory store'];
    this.rejection = `The record timestamp is outside the time range [${iso(start)}, ${iso(end)}) of the ${window}.`;
  }

  /** `time` is nanoseconds since 1970. */
  arrivalOf(time: bigint): Arrival {
    if (time <= this.end) {
      if (time >= this.memoryStart) return IN_MEMORY;
      if (time >= this.magneticStart) return IN_MAGNETIC;
    }
    return { store: 'MemoryStore', rejection: this.rejection };
  }
}

const IN_MEMORY: Arrival = { store: 'MemoryStore' };
const IN_MAGNETIC: Arrival = { store: 'MagneticStore' };
