/**
 * Runs one query and keeps its result, in a thread of its own: parsing 100,000 rows, arranging them for a chart and writing them as
 * CSV would make the page stop for too long.
 */
import { RequestError, send } from './api';
import { csv } from './csv';
import type { FromWorker, ToWorker } from './query';
import type { QueryResult } from './responses';
import { chartOf } from './series';

const ROWS_PER_MESSAGE = 2_000;

let result: QueryResult | undefined;
const post = (message: FromWorker, transfer: Transferable[] = []): void => self.postMessage(message, { transfer });

async function run(sql: string, maxRows: number, token: string | undefined): Promise<void> {
  const init = { method: 'POST', body: JSON.stringify({ sql, maxRows }) };
  const response = await send('/console/api/query', init, token);
  result = (await response.json()) as QueryResult;
  const { columns, rows, truncated, milliseconds } = result;
  post({ kind: 'head', columns, truncated, milliseconds });
  for (let from = 0; from < rows.length; from += ROWS_PER_MESSAGE) {
    post({ kind: 'rows', rows: rows.slice(from, from + ROWS_PER_MESSAGE) });
  }
  post({ kind: 'end' });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  if (data.kind === 'run') {
    run(data.sql, data.maxRows, data.token).catch((error: unknown) => {
      const status = error instanceof RequestError ? error.status : 0;
      post({ kind: 'error', status, message: error instanceof Error ? error.message : String(error) });
    });
    return;
  }
  if (result === undefined) return;
  const { columns, rows } = result;
  if (data.kind === 'csv') {
    const names = columns.map(({ name }) => name);
    post({ kind: 'csv', blob: new Blob([csv(names, rows)], { type: 'text/csv;charset=utf-8' }) });
    return;
  }
  const chart = chartOf(columns, rows, new Set(data.ignored));
  const buffers = typeof chart === 'string' ? [] : [chart.times, ...chart.series.map(({ values }) => values)];
  post(
    { kind: 'chart', chart },
    buffers.map(({ buffer }) => buffer),
  );
};
