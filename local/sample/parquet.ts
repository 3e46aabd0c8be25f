/** Writes sample Parquet files of the three built-in datasets into Hive-style folders. Each run writes the same data. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { UsageError } from '../cli/ending';
import { makeOptionFolder } from '../folder';

/** Each file starts at the first of its month; each series has a row every 10 minutes. */
const MONTHS = ['01', '02'] as const;
const ROWS_PER_FILE = 1_000;

const pick = (values: readonly string[], every = 1): string =>
  `list_value(${values.map((value) => `'${value}'`).join(', ')})[(i // ${every}) % ${values.length} + 1]`;
/** A value that oscillates around `middle`, with some noise. */
const wave = (middle: number, swing: number): string =>
  `round(${middle} + ${swing} * sin(i * 0.05) + hash(i) % 1000 * ${swing} / 5000, 3)`;

const REGIONS = ['norte', 'nordeste', 'sudeste', 'sul'];
const region = `${pick(REGIONS)} AS region`;

/** The columns of each dataset, except its timestamp. */
const DATASETS: Readonly<Record<string, readonly string[]>> = {
  generation: [
    region,
    `${wave(800, 350)} AS value`,
    "'MW' AS unit",
    `${pick(['hidrica', 'eolica', 'solar'], REGIONS.length)} AS energy_source`,
    "'active_power' AS measurement_type",
    "'plant-' || i % 12 AS plant_name",
    '1500.0 AS capacity_mw',
    "'good' AS quality_flag",
  ],
  consumption: [
    region,
    `${wave(420, 160)} AS value`,
    "'MWh' AS unit",
    `${pick(['residential', 'industrial', 'commercial'], REGIONS.length)} AS consumer_type`,
    "'energy' AS measurement_type",
    "'good' AS quality_flag",
  ],
  transmission: [
    region,
    `${wave(500, 8)} AS value`,
    "'kV' AS unit",
    "'line-' || i % 12 AS line_id",
    "'voltage' AS measurement_type",
    "'good' AS quality_flag",
  ],
};

export interface SampleFiles {
  readonly files: readonly string[];
  readonly rows: number;
}

/** @throws UsageError if the folder is not empty or cannot be written to */
export async function writeSampleParquet(folder: string): Promise<SampleFiles> {
  makeOptionFolder(folder, '--parquet');
  if (readdirSync(folder).length > 0) throw new UsageError(`--parquet ${folder} is not empty: name a new folder`);
  const connection = await (await DuckDBInstance.create()).connect();
  const files: string[] = [];
  try {
    for (const [dataset, columns] of Object.entries(DATASETS)) {
      for (const month of MONTHS) {
        const parent = join(folder, `dataset=${dataset}`, 'year=2024', `month=${month}`);
        makeOptionFolder(parent, '--parquet');
        const file = join(parent, 'data.snappy.parquet');
        const time = `TIMESTAMP '2024-${month}-01' + INTERVAL 10 MINUTE * (i // 12) AS timestamp`;
        const rows = `SELECT ${[time, ...columns].join(', ')} FROM range(${ROWS_PER_FILE}) AS r(i)`;
        await connection.run(`COPY (${rows}) TO '${file.replaceAll("'", "''")}' (FORMAT PARQUET, COMPRESSION SNAPPY)`);
        files.push(file);
      }
    }
  } finally {
    connection.closeSync();
  }
  return { files, rows: files.length * ROWS_PER_FILE };
}
