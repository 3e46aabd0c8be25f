/** Runs parts of a benchmark in separate processes, so that start, CPU time and peak memory of each are measured alone. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** The cost of a whole process, including all its threads. */
export interface Cost {
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
}

/** The cost of this process since its start. */
export function costSoFar(): Cost {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    seconds: performance.now() / 1000,
    peakMegabytes: peakMegabytes(),
  };
}

/** Peak memory of this program. On Linux `maxRSS` starts with the value of the parent process, but VmHWM does not. */
export function peakMegabytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'latin1') : '';
  return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS) / 1024;
}

/** The cost of `work` in this process. */
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

/** Runs this program in another process with other arguments, and returns its output. */
export function inProcess(...argv: (string | number)[]): string {
  const args = [process.argv[1] ?? '', ...argv.map(String)];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/**
 * Runs the implementations in turn (A B A B ...), so that changes in the speed of the machine affect all of them.
 * @param ways for each implementation the arguments of this program, which must print its cost as JSON
 * @returns for each implementation its costs, in the order of the rounds
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

/** Runs the `main` of a benchmark. Prints the message of a failure and sets the exit code. */
export function runMain(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
