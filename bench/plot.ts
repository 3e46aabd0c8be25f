/** Draws results as SVG for the documentation: with PLOT=true in the environment, docs/img/NAME.svg. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import type { Row } from './report';

const FOLDER = 'docs/img';

/** Readable on a light and on a dark page. */
const CONFIG = {
  background: 'white',
  font: 'sans-serif',
  axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal' },
  legend: { labelFontSize: 12, labelLimit: 400, title: null },
  header: { labelFontSize: 12, title: null },
} as const;

export interface Bars {
  readonly title: string;
  /** The column of the lengths, and what it says. */
  readonly value: string;
  readonly meaning: string;
  /** The column that a bar is named by. */
  readonly way: string;
  /** The column that groups the bars. */
  readonly group?: string;
}

/** Draws a bar for each row. */
export async function plotBars(name: string, rows: readonly Row[], bars: Bars): Promise<void> {
  const { title, value, meaning, way, group } = bars;
  const field = (column: string): string => column.replace(/[.[\]]/g, '\\$&');
  await plot(name, title, {
    data: { values: [...rows] },
    width: 480,
    mark: { type: 'bar', tooltip: null },
    encoding: {
      x: { field: field(value), type: 'quantitative', title: meaning },
      y: { field: field(way), type: 'nominal', title: null, sort: null },
      color: { field: field(way), type: 'nominal', sort: null, legend: null },
      ...(group !== undefined && {
        row: {
          field: field(group),
          type: 'nominal',
          sort: [...new Set(rows.map((row) => String(row[group])))],
          header: { labelAngle: 0, labelAlign: 'left' },
        },
      }),
    },
  });
}

/** Draws one line for each series: values once a second. */
export async function plotSeconds(
  name: string,
  title: string,
  meaning: string,
  series: Readonly<Record<string, readonly number[]>>,
): Promise<void> {
  const values = Object.entries(series).flatMap(([run, numbers]) =>
    numbers.map((value, second) => ({ run, second, value })),
  );
  await plot(name, title, {
    data: { values },
    width: 560,
    height: 240,
    mark: { type: 'line', tooltip: null },
    encoding: {
      x: { field: 'second', type: 'quantitative', title: 'seconds' },
      y: { field: 'value', type: 'quantitative', title: meaning },
      color: { field: 'run', type: 'nominal', legend: { orient: 'top' } },
    },
  });
}

async function plot(name: string, title: string, spec: object): Promise<void> {
  if (process.env.PLOT !== 'true') return;
  // Neither can be loaded by `require`.
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const compiled = compile({ title, config: CONFIG, ...spec } as TopLevelSpec).spec;
  const svg = await new View(parse(compiled), { renderer: 'none' }).toSVG();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.svg`), `${svg}\n`);
}
