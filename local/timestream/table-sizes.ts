/** Counts the records of each table, for the console. */
import type { Catalog } from './catalog';
import { INTERNAL, type Store } from './store';
import { recordsOf } from './table';

export interface TableSize {
  readonly database: string;
  readonly table: string;
  /** Null if there are too many tables to count. */
  readonly records: number | null;
}

/** Counting a table takes about 0.1 ms; more tables are only listed. */
const MAX_COUNTED = 500;

/** All tables, sorted by database and name. */
export async function tableSizes(catalog: Catalog, store: Store): Promise<TableSize[]> {
  const tables = [...catalog.allTables()].sort(
    (a, b) => compare(a.database.name, b.database.name) || compare(a.name, b.name),
  );
  const counted = tables.slice(0, MAX_COUNTED);
  const sql = counted.map((table, n) => `SELECT ${n}, count(*) FROM ${INTERNAL}.${recordsOf(table)}`);
  const counts = new Map<number, number>();
  if (counted.length > 0) {
    const rows = await store.reading(async (connection) =>
      (await connection.runAndReadAll(sql.join(' UNION ALL '))).getRows(),
    );
    for (const [n, records] of rows) counts.set(Number(n), Number(records));
  }
  return tables.map(({ database, name }, n) => ({
    database: database.name,
    table: name,
    records: counts.get(n) ?? null,
  }));
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
