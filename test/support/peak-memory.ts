/** The most memory that a process has had, as Linux tells it. */
import { existsSync, readFileSync } from 'node:fs';

export const PEAK_MEMORY_IS_KNOWN = existsSync('/proc/self/status');

/** Peak resident set, MB. @throws Error where /proc has no such process */
export function peakMegabytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status tells no peak`);
  return Number(kilobytes) / 1024;
}
