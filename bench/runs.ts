/** Parts of a benchmark in processes of their own, so that each one's start, CPU time and peak of memory are its own. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Of a whole process, all its threads included. */
export interface Cost {
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
}

/** What this process has cost since it began. */
export function costSoFar(): Cost {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    seconds: performance.now() / 1000,
    peakMegabytes: peakMegabytes(),
  };
}

/** The most memory that this program has had. On Linux `maxRSS` begins with the parent's, which the kernel's own account does not. */
export function peakMegabytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'latin1') : '';
  return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS) / 1024;
}

/** What `work` costs, in this process. */
export async function costOf(work: () => Promise<void> | void): Promise<Cost> {
  const before = process.cpuUsage();
  const started = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return {
    cpuSeconds: (user + system) / 1e6,
    seconds: (performance.now() - started) / 1000,
    peakMegabytes: peakMegabytes(),
  };
}

/** Runs this program again with other arguments, and gives what it prints. */
export function inProcess(...argv: (string | number)[]): string {
  const args = [process.argv[1] ?? '', ...argv.map(String)];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/**
 * Runs each way in turn, A B A B and so on, so that a machine whose speed drifts is as fast for one as for the other.
 * @param ways arguments of this program by the name of a way; it is to print its cost as JSON
 * @returns by way its outcomes, in the order of the rounds
 */
export function inTurn(
  ways: Readonly<Record<string, readonly (string | number)[]>>,
  rounds: number,
): Record<string, Cost[]> {
  const outcomes: Record<string, Cost[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [way, argv] of Object.entries(ways)) {
      outcomes[way] = [...(outcomes[way] ?? []), JSON.parse(inProcess(...argv)) as Cost];
    }
  }
  return outcomes;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Runs a benchmark's `main`; a failure is told by its message, and by the exit code. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
