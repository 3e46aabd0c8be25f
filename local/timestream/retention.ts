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

/** `time` is nanoseconds, `nowMs` milliseconds since 1970. */
export function arrivalOf(time: bigint, properties: TableProperties, nowMs: number): Arrival {
  const { MemoryStoreRetentionPeriodInHours, MagneticStoreRetentionPeriodInDays } = properties.RetentionProperties;
  const magnetic = properties.MagneticStoreWriteProperties.EnableMagneticStoreWrites;
  const ns = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;
  const end = nowMs + FUTURE;
  const memoryStart = nowMs - MemoryStoreRetentionPeriodInHours * HOUR;
  const magneticStart = Math.max(0, Math.min(memoryStart, nowMs - MagneticStoreRetentionPeriodInDays * DAY));

  if (time <= ns(end)) {
    if (time >= ns(memoryStart)) return { store: 'MemoryStore' };
    if (magnetic && time >= ns(magneticStart)) return { store: 'MagneticStore' };
  }
  const [start, window] = magnetic ? [magneticStart, 'data ingestion window'] : [memoryStart, 'memory store'];
  return {
    store: 'MemoryStore',
    rejection: `The record timestamp is outside the time range [${iso(start)}, ${iso(end)}) of the ${window}.`,
  };
}
