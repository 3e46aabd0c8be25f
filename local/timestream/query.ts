/** Carries out Query: DuckDB runs SELECT, the catalog serves SHOW and DESCRIBE, and UNLOAD runs in the background. */
import type { Catalog } from './catalog';
import { withinMemory } from './memory-limit';
import type { Pages, ResultSet } from './pages';
import { type JsonObject, optionalInteger, optionalString, requiredString, root } from './shape';
import { explained } from './sql-advice';
import { type Rewritten, rewrite } from './sql-rewrite';
import { columnsOf } from './sql-select';
import { datum } from './sql-values';
import type { Store } from './store';
import { isUnload } from './unload/statement';
import type { Unloads } from './unload/unloads';
import { viewColumns } from './views';

const NAME = '("(?:[^"]|"")+"|[a-zA-Z_][a-zA-Z0-9_]*)';
const SHOW_DATABASES = /^\s*SHOW\s+DATABASES\s*;?\s*$/i;
const SHOW_TABLES = new RegExp(`^\\s*SHOW\\s+TABLES\\s+(?:FROM|IN)\\s+${NAME}\\s*;?\\s*$`, 'i');
const DESCRIBE = new RegExp(`^\\s*(?:DESCRIBE|DESC)\\s+${NAME}\\.${NAME}\\s*;?\\s*$`, 'i');

const unquote = (name = '') => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name);

function listing(names: readonly string[], rows: readonly (readonly string[])[]): ResultSet {
  let left = rows.map((row) => ({ Data: row.map((ScalarValue) => ({ ScalarValue })) }));
  return {
    columns: names.map((Name) => ({ Name, Type: { ScalarType: 'VARCHAR' } })),
    read: () => {
      const now = left;
      left = [];
      return Promise.resolve(now);
    },
  };
}

/** SHOW and DESCRIBE; undefined for any other statement. */
function catalogStatement(sql: string, catalog: Catalog): ResultSet | undefined {
  if (SHOW_DATABASES.test(sql)) {
    return listing(
      ['Database'],
      [...catalog.databases.keys()].sort().map((name) => [name]),
    );
  }
  const [, shown] = SHOW_TABLES.exec(sql) ?? [];
  if (shown) {
    return listing(
      ['Table'],
      [...catalog.database(unquote(shown)).tables.keys()].sort().map((name) => [name]),
    );
  }
  const [, database, table] = DESCRIBE.exec(sql) ?? [];
  if (!database) return undefined;
  return listing(
    ['Column', 'Type', 'Timestream attribute type'],
    viewColumns(catalog.table(unquote(database), unquote(table)).columns).map(({ name, type, attribute }) => [
      name,
      type,
      attribute,
    ]),
  );
}

async function select({ sql, names }: Rewritten, store: Store, signal: AbortSignal): Promise<ResultSet> {
  return await store.reading(async (connection) => {
    const result = await connection.run(sql);
    const columns = columnsOf(result, names);
    // A materialized result is completely in memory, and stays valid after its connection is closed.
    const chunks = await result.fetchAllChunks();
    return {
      columns,
      read: () => {
        const rows = chunks.shift()?.getRows() ?? [];
        return Promise.resolve(
          rows.map((row) => ({ Data: row.map((value, i) => datum(value, columns[i]?.Type.ScalarType ?? '')) })),
        );
      },
    };
  }, signal);
}

interface QueryService {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly pages: Pages;
  readonly unloads: Unloads;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Carries out Query. @throws ValidationException if the query fails or uses an unsupported feature */
export async function query(
  { store, catalog, pages, unloads, now, signal }: QueryService,
  request: JsonObject,
): Promise<object> {
  const sql = requiredString(request, 'QueryString', root, { min: 1, max: 262_144 });
  const maxRows = optionalInteger(request, 'MaxRows', root, { min: 1, max: 1000 });
  const token = optionalString(request, 'NextToken', root, { min: 1, max: 2048 });
  const clientToken = optionalString(request, 'ClientToken', root, { min: 32, max: 128 });
  if (isUnload(sql)) return await unloads.query({ sql, clientToken, nextToken: token });
  const first = async () =>
    catalogStatement(sql, catalog) ??
    (await withinMemory((ending) => selected(rewrite(sql, catalog, now()), catalog, store, ending), signal));
  const page =
    token === undefined ? await pages.first(sql, await first(), maxRows) : await pages.next(sql, token, maxRows);
  return {
    ...page,
    QueryStatus: { ProgressPercentage: 100, CumulativeBytesScanned: 0, CumulativeBytesMetered: 0 },
  };
}

async function selected(rewritten: Rewritten, catalog: Catalog, store: Store, signal: AbortSignal): Promise<ResultSet> {
  try {
    return await select(rewritten, store, signal);
  } catch (error) {
    throw explained(error, rewritten, catalog);
  }
}
