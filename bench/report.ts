/** Reports the results of a benchmark: a table, and the same rows as JSON in bench/results/ with a description of the machine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type Bars, plotBars } from './plot';

export type Row = Readonly<Record<string, string | number | undefined>>;

/**
 * Prints the rows and writes bench/results/NAME.json, and with PLOT=true docs/img/NAME.svg.
 * @param settings other settings that matter for a comparison of the results: sizes, levels, rounds
 * @param bars what is drawn
 */
export async function report(name: string, rows: readonly Row[], settings: Row = {}, bars?: Bars): Promise<void> {
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const described = Object.entries(settings).map(([key, value]) => `${key} ${value}`);
  console.log([`${machine.cpu} x ${machine.cores}, Node ${machine.node}`, ...described].join('; '));
  console.table(rows);
  mkdirSync('bench/results', { recursive: true });
  writeFileSync(`bench/results/${name}.json`, `${JSON.stringify({ machine, settings, rows }, null, 2)}\n`);
  if (bars !== undefined) await plotBars(name, rows, bars);
}

export const round = (value: number, decimals = 2): number => Number(value.toFixed(decimals));
