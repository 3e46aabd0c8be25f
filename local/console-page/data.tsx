/** The panel Data: databases and tables, the newest rows of a table, and SQL. */
import { useEffect, useState } from 'preact/hooks';
import { api } from './api';
import { count } from './format';
import { Card, ErrorNotice } from './notice';
import { usePoll } from './poll';
import type { Databases, TableSize } from './responses';
import { ResultTable } from './result-table';
import { hashOf, type Route } from './route';
import { knowColumns, knowDatabases } from './schema';
import { newestRows } from './sql-text';
import { Workbench } from './workbench';

export function Data({ route }: { readonly route: Route }) {
  const [refreshes, setRefreshes] = useState(0);
  const { data, error } = usePoll(api.databases, `databases ${refreshes}`, isCounted);
  const [proposed, setProposed] = useState<{ sql: string }>();
  useEffect(() => {
    if (data !== undefined) knowDatabases(data);
  }, [data]);
  if (data?.destination === 'influxdb') return <InInfluxdb url={data.influxdbUrl} />;
  return (
    <div class="data">
      <div class="side">
        <Card title="Tables">
          <ErrorNotice error={error} />
          {data !== undefined && <Names names={data} route={route} />}
          {data !== undefined && !isCounted(data) && (
            <button type="button" onClick={() => setRefreshes(refreshes + 1)}>
              Refresh
            </button>
          )}
        </Card>
      </div>
      <div class="stack">
        {data !== undefined && route.database !== undefined && route.table !== undefined && (
          <NewestRows
            database={route.database}
            table={route.table}
            isLive={isCounted(data)}
            refreshes={refreshes}
            query={(sql) => setProposed({ sql })}
          />
        )}
        {/* The first response says whether there is a database for SQL. */}
        {(data !== undefined || error !== undefined) && <Workbench route={route} proposed={proposed} />}
      </div>
    </div>
  );
}

const InInfluxdb = ({ url }: { readonly url: string | null }) => (
  <p class="notice">
    The points are in InfluxDB at {url}: query them there. Tables and SQL here are those of Timestream.
  </p>
);

/** Amazon Timestream bills every query, so there the page asks only once. Its tables have no count. */
const isCounted = ({ databases }: Databases): boolean =>
  databases.every(({ tables }) => tables.every(({ records }) => records !== null));

const shownCount = ({ records }: Pick<TableSize, 'records'>): string => (records === null ? '' : count(records));

function Names({ names: { databases }, route }: { readonly names: Databases; readonly route: Route }) {
  if (databases.every(({ tables }) => tables.length === 0)) {
    return <p class="muted">No tables yet. Write a point to create one.</p>;
  }
  return databases.map(({ database, tables }) => (
    <details key={database} class="database" open>
      <summary>{database}</summary>
      <ul>
        {tables.map(({ table, ...size }) => (
          <li key={table}>
            <a
              href={hashOf({ panel: 'data', database, table, ...(route.view && { view: route.view }) })}
              aria-current={database === route.database && table === route.table ? 'true' : undefined}
            >
              {table} <span class="muted number">{shownCount(size)}</span>
            </a>
          </li>
        ))}
      </ul>
    </details>
  ));
}

interface NewestRowsProps {
  readonly database: string;
  readonly table: string;
  readonly isLive: boolean;
  readonly refreshes: number;
  readonly query: (sql: string) => void;
}

function NewestRows({ database, table, isLive, refreshes, query }: NewestRowsProps) {
  const { data, error } = usePoll(
    () => api.table(database, table),
    JSON.stringify([database, table, refreshes]),
    () => isLive,
  );
  useEffect(() => {
    if (data !== undefined) knowColumns(database, table, data.columns);
  }, [data]);
  return (
    <Card title={`Newest rows of ${table}`}>
      <ErrorNotice error={error} />
      {data !== undefined && (
        <div class="newest">
          <ResultTable label={`Newest rows of ${table}`} columns={data.columns} rows={data.rows} />
        </div>
      )}
      <button type="button" onClick={() => query(newestRows(database, table))}>
        Query the newest 1,000 rows
      </button>
    </Card>
  );
}
