/** A query that runs in a worker, and its result as it arrives. */
import type { ResultColumn, Row } from './responses';
import type { Chart } from './series';
import { session } from './session';

/** The page asks for no more rows. */
export const MAX_ROWS = 100_000;

export type ToWorker =
  | { readonly kind: 'run'; readonly sql: string; readonly maxRows: number; readonly token: string | undefined }
  | { readonly kind: 'chart'; readonly ignored: readonly string[] }
  | { readonly kind: 'csv' };

export type FromWorker =
  | {
      readonly kind: 'head';
      readonly columns: readonly ResultColumn[];
      readonly truncated: boolean;
      readonly milliseconds: number;
    }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'chart'; readonly chart: Chart | string }
  | { readonly kind: 'csv'; readonly blob: Blob }
  | { readonly kind: 'error'; readonly status: number; readonly message: string };

/** What is known of a query. A new object after each message, but the rows are added to one array. */
export interface QueryState {
  /** Differs between queries. */
  readonly id: number;
  readonly sql: string;
  readonly isRunning: boolean;
  readonly error?: string;
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Row[];
  readonly truncated: boolean;
  readonly milliseconds: number;
  /** Present once it was requested; a text says why there is none. */
  readonly chart?: Chart | string;
}

let queries = 0;

export class Query {
  private readonly worker = new Worker('/console/query-worker.js', { type: 'module' });
  private readonly rows: Row[] = [];
  private state: QueryState;

  /** Starts the query. @param changed called with every new state */
  constructor(
    sql: string,
    private readonly changed: (state: QueryState) => void,
  ) {
    this.state = {
      id: ++queries,
      sql,
      isRunning: true,
      columns: [],
      rows: this.rows,
      truncated: false,
      milliseconds: 0,
    };
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
    this.worker.onerror = () => this.change({ isRunning: false, error: 'The browser could not start the query.' });
    this.post({ kind: 'run', sql, maxRows: MAX_ROWS, token: session.token() });
    changed(this.state);
  }

  /** @param ignored columns that are neither tags nor numbers, such as measures of text */
  requestChart(ignored: readonly string[]): void {
    this.post({ kind: 'chart', ignored });
  }

  downloadCsv(): void {
    this.post({ kind: 'csv' });
  }

  /** Drops the result, and aborts the request if it is in progress. */
  close(): void {
    this.worker.terminate();
    if (this.state.isRunning) this.change({ isRunning: false, error: 'Cancelled.' });
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private change(part: Partial<QueryState>): void {
    this.state = { ...this.state, ...part };
    this.changed(this.state);
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case 'head': {
        const { columns, truncated, milliseconds } = message;
        this.change({ columns, truncated, milliseconds });
        break;
      }
      case 'rows':
        this.rows.push(...message.rows);
        break;
      case 'end':
        this.change({ isRunning: false });
        break;
      case 'chart':
        this.change({ chart: message.chart });
        break;
      case 'csv':
        download(message.blob, 'result.csv');
        break;
      case 'error':
        if (message.status === 401) session.refused();
        this.change({ isRunning: false, error: message.message });
    }
  }
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Some browsers read it only later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
