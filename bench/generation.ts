/** Generates files of the generation dataset with DuckDB, and converts them to line protocol with SQL. */
import { query, sumLines } from './duckdb';

export interface GenerationFile {
  readonly path: string;
  readonly rows: number;
  /** Time of the first row. It must differ between files, so that points of different files do not overwrite each other. */
  readonly start?: string;
}

/** Writes a file of nine columns, compressed with Snappy, sorted by time: 100 plants every five minutes. */
export async function makeGeneration({ path, rows, start = '2024-01-01' }: GenerationFile): Promise<void> {
  await query(`
    COPY (
      SELECT TIMESTAMP '${start}' + INTERVAL 5 MINUTE * (i // 100) AS "timestamp",
        ['norte', 'nordeste', 'sudeste', 'sul'][1 + i % 4] AS region,
        round(1000 * (hash(i) % 1000003) / 1000003.0, 3)::DOUBLE AS "value",
        'MW' AS unit,
        ['hidrica', 'termica', 'eolica', 'solar', 'nuclear'][1 + i % 5] AS energy_source,
        'generation' AS measurement_type,
        'Usina ' || (i % 100) AS plant_name,
        (50 + (i % 100) * 13.7)::DOUBLE AS capacity_mw,
        round((hash(i + 7) % 10007) / 10007.0, 4)::DOUBLE AS efficiency
      FROM range(${rows}) AS r(i)
    ) TO '${path}' (FORMAT parquet, COMPRESSION snappy)`);
}

const linesOf = (path: string, number = (column: string) => column) => `
  SELECT 'generation_data,energy_source=' || energy_source || ',measurement_type=' || measurement_type
    || ',plant_name=' || replace(plant_name, ' ', '\\ ') || ',region=' || region || ' unit="' || unit
    || '",power_mw=' || ${number('"value"')} || ',capacity_mw=' || ${number('capacity_mw')}
    || ',efficiency=' || ${number('efficiency')} || ' ' || epoch_ns("timestamp") || chr(10) AS line
  FROM '${path}'`;

/** Builds the lines inside DuckDB. */
export const concatenate = (path: string) => sumLines(linesOf(path));

/** Calls back with each line, including its line break. Removes the .0 that DuckDB writes; the baseline omits this, as it is slow. */
export async function eachLine(path: string, use: (line: string) => void): Promise<void> {
  await query(
    linesOf(path, (column) => `regexp_replace(${column}::VARCHAR, '\\.0$', '')`),
    (line) => use(String(line)),
  );
}
