/**
 * Parquet to line protocol, without a network: 1,000,000 rows of the generation dataset through the reader, beside DuckDB putting the
 * same lines together in SQL, in one run. The lines are compared with DuckDB's before anything is timed.
 *
 *     node scripts/run-bench.mjs loader-encode [rows]
 *
 * Each way runs in a process of its own (`--way`), so that peaks of memory are its own.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { ParquetReader } from 'shared/parquet/reader';
import { openFile } from 'shared/parquet/source';

interface Outcome {
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
  readonly lines: number;
  readonly bytes: number;
}

const WORKER = join(process.cwd(), '.build/parquet-worker.cjs');
const LIMITS = { lines: 5000, bytes: 4 * 1024 * 1024 };

/** Nine columns, in the order of time: 100 plants every five minutes. */
const MAKE = (rows: number, path: string) => `
  COPY (
    SELECT TIMESTAMP '2024-01-01' + INTERVAL 5 MINUTE * (i // 100) AS "timestamp",
      ['norte', 'nordeste', 'sudeste', 'sul'][1 + i % 4] AS region,
      round(1000 * (hash(i) % 1000003) / 1000003.0, 3)::DOUBLE AS "value",
      'MW' AS unit,
      ['hidrica', 'termica', 'eolica', 'solar', 'nuclear'][1 + i % 5] AS energy_source,
      'generation' AS measurement_type,
      'Usina ' || (i % 100) AS plant_name,
      (50 + (i % 100) * 13.7)::DOUBLE AS capacity_mw,
      round((hash(i + 7) % 10007) / 10007.0, 4)::DOUBLE AS efficiency
    FROM range(${rows}) AS r(i)
  ) TO '${path}' (FORMAT parquet, COMPRESSION snappy)`;

/** DuckDB writes 50.0 where the loader writes 50; for the comparison that is cut off, which is too dear to be part of the baseline. */
const exact = (column: string) => `regexp_replace(${column}::VARCHAR, '\\.0$', '')`;
const LINES = (path: string, number = (column: string) => column) => `
  SELECT 'generation_data,energy_source=' || energy_source || ',measurement_type=' || measurement_type
    || ',plant_name=' || replace(plant_name, ' ', '\\ ') || ',region=' || region || ' unit="' || unit
    || '",power_mw=' || ${number('"value"')} || ',capacity_mw=' || ${number('capacity_mw')}
    || ',efficiency=' || ${number('efficiency')} || ' ' || epoch_ns("timestamp") || chr(10) AS line
  FROM '${path}'`;

async function query(sql: string, use: (value: unknown) => void = () => undefined): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run('SET threads = 2');
  const result = await connection.stream(sql);
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const value of chunk.getColumnValues(0)) use(value);
  }
  connection.closeSync();
}

async function read(path: string, use: (bytes: Uint8Array) => void): Promise<number> {
  const mapping = BUILT_IN_MAPPINGS.find(({ name }) => name === 'generation');
  if (!mapping) throw new Error('no generation mapping');
  const reader = new ParquetReader({ workerFile: WORKER });
  const source = await openFile(path);
  const stream = reader.readPoints(source, mapping, { limits: LIMITS, dropInvalid: true, validateSchema: true });
  for await (const { bytes } of stream) use(bytes);
  await source.close();
  await reader.close();
  return stream.report().points;
}

const ways: Record<string, (path: string) => Promise<{ lines: number; bytes: number }>> = {
  async loader(path) {
    let bytes = 0;
    const lines = await read(path, (batch) => {
      bytes += batch.length;
    });
    return { lines, bytes };
  },
  /** Its text is summed up within DuckDB: taking it out row by row would time the binding. */
  async duckdb(path) {
    let lines = 0;
    let bytes = 0;
    await query(`SELECT count(*) || ' ' || sum(strlen(line)) FROM (${LINES(path)})`, (value) => {
      [lines = 0, bytes = 0] = String(value).split(' ').map(Number);
    });
    return { lines, bytes };
  },
  /** What a process costs that does nothing. */
  idle: () => Promise.resolve({ lines: 0, bytes: 0 }),
};

async function runWay(name: string, path: string): Promise<void> {
  const counts = await ways[name]?.(path);
  const { user, system } = process.cpuUsage();
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ ...counts, cpuSeconds: (user + system) / 1e6, peakMegabytes }));
}

async function compare(path: string): Promise<void> {
  const ours = createHash('sha256');
  await read(path, (bytes) => ours.update(bytes));
  const theirs = createHash('sha256');
  await query(LINES(path, exact), (line) => theirs.update(String(line)));
  if (ours.digest('hex') !== theirs.digest('hex')) throw new Error('the loader and DuckDB disagree on the lines');
}

function median(name: string, path: string, runs: number): Outcome {
  const outcomes = Array.from({ length: runs }, () => {
    const output = execFileSync(process.execPath, [process.argv[1] ?? '', '--way', name, path], { encoding: 'utf8' });
    return JSON.parse(output) as Outcome;
  });
  return outcomes.sort((a, b) => a.cpuSeconds - b.cpuSeconds)[Math.floor(runs / 2)] as Outcome;
}

async function main(): Promise<void> {
  const [first, name = '', path = ''] = process.argv.slice(2);
  if (first === '--way') return runWay(name, path);
  const rows = Number(first ?? 1_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'loader-encode-'));
  const file = join(folder, 'generation.parquet');
  try {
    await query(MAKE(rows, file));
    await compare(file);
    const [idle, duckdb, loader] = ['idle', 'duckdb', 'loader'].map((way) => median(way, file, 5));
    if (!idle || !duckdb || !loader) return;
    const show = (label: string, { cpuSeconds, peakMegabytes }: Outcome) =>
      console.log(`${label.padEnd(8)} ${cpuSeconds.toFixed(2)} CPU-s, peak ${peakMegabytes.toFixed(0)} MB`);
    console.log(
      `${loader.lines} rows to ${(loader.bytes / 1e6).toFixed(0)} MB of line protocol, as DuckDB's; medians of 5`,
    );
    show('idle', idle);
    show('duckdb', duckdb);
    show('loader', loader);
    console.log(`loader / duckdb: ${(loader.cpuSeconds / duckdb.cpuSeconds).toFixed(2)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

void main();
