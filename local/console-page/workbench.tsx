/** SQL and its result: the editor, history, the result as table, chart or CSV, and a link to share. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Chart } from './chart';
import { createEditor, type Editor } from './editor';
import { count, counted, duration } from './format';
import { addToHistory, clearHistory, readHistory } from './history';
import { Card, ErrorNotice } from './notice';
import { Query, type QueryState } from './query';
import { ResultTable } from './result-table';
import { hashOf, type Route, type View } from './route';
import { tablesIn } from './schema';
import type { Chart as ChartData } from './series';

/** The statement and its result stay while the user looks at another panel. */
const kept: { sql: string; query?: Query; state?: QueryState; show?: (state: QueryState) => void } = {
  sql: readHistory()[0] ?? '',
};

interface WorkbenchProps {
  readonly route: Route;
  /** SQL to put into the editor and to run; a new object each time. */
  readonly proposed: { readonly sql: string } | undefined;
}

export function Workbench({ route, proposed }: WorkbenchProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [state, setState] = useState(kept.state);
  const [history, setHistory] = useState(readHistory);
  const [note, setNote] = useState('');
  const view = route.view ?? 'table';
  // The editor is created once, but runs with the route of the moment.
  const current = useRef(route);
  current.current = route;

  function run(): void {
    const sql = kept.sql.trim();
    if (sql === '') return;
    kept.query?.close();
    kept.query = new Query(sql, (next) => {
      kept.state = next;
      kept.show?.(next);
    });
    setHistory(addToHistory(sql));
    setNote('');
    location.replace(hashOf({ ...current.current, sql }));
  }

  useEffect(() => {
    if (host.current === null) return;
    kept.show = setState;
    const created = createEditor(host.current, route.sql ?? kept.sql, run, (sql) => {
      kept.sql = sql;
    });
    kept.sql = created.text();
    editor.current = created;
    return () => {
      created.close();
      delete kept.show;
    };
  }, []);
  // A link may change the statement at any time, but it never runs it: that is for the user to decide.
  useEffect(() => {
    if (route.sql !== undefined && route.sql !== kept.sql.trim()) editor.current?.setText(route.sql);
  }, [route.sql]);
  useEffect(() => {
    if (proposed === undefined) return;
    editor.current?.setText(proposed.sql);
    run();
  }, [proposed]);
  useEffect(() => {
    if (view !== 'chart' || state === undefined || state.isRunning || state.chart || state.error !== undefined) return;
    kept.query?.requestChart(textMeasures(state.sql));
  }, [view, state]);

  async function copyLink(): Promise<void> {
    const link = new URL(hashOf({ ...route, sql: kept.sql.trim() }), location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      setNote('The link is copied.');
    } catch {
      setNote(`The browser does not permit copying. The link: ${link}`);
    }
  }
  function chooseView(chosen: View): void {
    location.replace(hashOf({ ...route, view: chosen }));
  }

  return (
    <Card title="SQL">
      <div ref={host} class="editor" />
      <div class="tools">
        <button type="button" class="primary" onClick={run} aria-keyshortcuts="Control+Enter">
          Run <kbd>Ctrl Enter</kbd>
        </button>
        {state?.isRunning && (
          <button type="button" onClick={() => kept.query?.close()}>
            Cancel
          </button>
        )}
        <button type="button" onClick={() => void copyLink()}>
          Copy link
        </button>
        <History
          history={history}
          choose={(sql) => editor.current?.setText(sql)}
          clear={() => {
            clearHistory();
            setHistory([]);
          }}
        />
      </div>
      <p class="muted" role="status">
        {[note, state === undefined ? '' : summary(state)].filter((text) => text !== '').join(' ')}
      </p>
      <ErrorNotice error={state?.error} />
      {state !== undefined && !state.isRunning && state.error === undefined && (
        <>
          <div class="tools">
            <ViewChoice view={view} choose={chooseView} />
            <button type="button" onClick={() => kept.query?.downloadCsv()}>
              Download CSV
            </button>
          </div>
          {view === 'table' ? (
            <ResultTable key={state.id} label="Result" columns={state.columns} rows={state.rows} />
          ) : (
            <ResultChart chart={state.chart} />
          )}
        </>
      )}
    </Card>
  );
}

/** Measures of text tell no series apart, as the tags do. */
function textMeasures(sql: string): string[] {
  const columns = tablesIn(sql).flatMap((table) => table.columns ?? []);
  return columns.filter(({ role }) => role === 'measure').map(({ name }) => name);
}

function summary({ isRunning, error, rows, truncated, milliseconds }: QueryState): string {
  if (error !== undefined) return '';
  if (isRunning) return 'The query runs.';
  const more = truncated ? `, and there are more: use LIMIT, or aggregate with bin(time, 1m)` : '';
  return `${counted(rows.length, 'row')} in ${duration(milliseconds)}${more}.`;
}

interface ViewChoiceProps {
  readonly view: View;
  readonly choose: (view: View) => void;
}

const ViewChoice = ({ view, choose }: ViewChoiceProps) => (
  <fieldset class="choice">
    <legend class="unseen">Show the result as</legend>
    {(['table', 'chart'] as const).map((each) => (
      <label key={each}>
        <input type="radio" name="view" checked={view === each} onChange={() => choose(each)} />
        {each === 'table' ? 'Table' : 'Chart'}
      </label>
    ))}
  </fieldset>
);

interface HistoryProps {
  readonly history: readonly string[];
  readonly choose: (sql: string) => void;
  readonly clear: () => void;
}

const History = ({ history, choose, clear }: HistoryProps) => (
  <details class="history">
    <summary>History</summary>
    {history.length === 0 && <p class="muted">No statement was run in this browser.</p>}
    <ul>
      {history.map((sql) => (
        <li key={sql}>
          <button type="button" onClick={() => choose(sql)} title={sql}>
            <code>{sql}</code>
          </button>
        </li>
      ))}
    </ul>
    {history.length > 0 && (
      <button type="button" onClick={clear}>
        Clear history
      </button>
    )}
  </details>
);

function ResultChart({ chart }: { readonly chart: ChartData | string | undefined }) {
  const lines = useMemo(() => linesOf(chart), [chart]);
  if (chart === undefined) return null;
  if (typeof chart === 'string') return <p class="notice">{chart}</p>;
  const { times, series, total } = chart;
  return (
    <>
      {series.length < total && (
        <p class="notice">
          {count(series.length)} of {count(total)} series are drawn. Narrow the query with WHERE.
        </p>
      )}
      <Chart
        label={`Line chart of ${series.map(({ name }) => name).join('; ')}, at ${counted(times.length, 'time')}. The table has the values.`}
        times={times}
        lines={lines}
        height={360}
        kind="result"
      />
    </>
  );
}

/** uPlot draws a gap for null only. */
function linesOf(chart: ChartData | string | undefined) {
  if (chart === undefined || typeof chart === 'string') return [];
  return chart.series.map(({ name, values }) => ({
    name,
    values: Array.from(values, (value) => (Number.isNaN(value) ? null : value)),
  }));
}
