/** DuckDB with two threads, the baseline of benchmarks. */

/** Calls back with the values of the first column. */
export async function query(sql: string, use: (value: unknown) => void = () => undefined): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run('SET threads = 2');
  const result = await connection.stream(sql);
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const value of chunk.getColumnValues(0)) use(value);
  }
  connection.closeSync();
}

/** Builds the lines of a query's column `line` and sums their bytes inside DuckDB. Reading them would measure the binding for Node.js. */
export async function sumLines(sql: string): Promise<{ lines: number; bytes: number }> {
  let [lines = 0, bytes = 0]: number[] = [];
  await query(`SELECT count(*) || ' ' || sum(strlen(line)) FROM (${sql})`, (value) => {
    [lines = 0, bytes = 0] = String(value).split(' ').map(Number);
  });
  return { lines, bytes };
}
