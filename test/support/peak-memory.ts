/** The peak memory of a process, from Linux's /proc. */
import { existsSync, readFileSync } from 'node:fs';

export const PEAK_MEMORY_IS_KNOWN = existsSync('/proc/self/status');

/** Peak resident set, MB. @throws Error if /proc has no such process */
export function peakMegabytes(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no VmHWM`);
  return Number(kilobytes) / 1024;
}
