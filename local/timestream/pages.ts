/** Splits query results into pages. The rest of a result is kept for its next page, until newer queries replace it. */
import { randomBytes } from 'node:crypto';
import { validationError } from './errors';
import type { Datum } from './sql-values';

export interface Row {
  readonly Data: readonly Datum[];
}

export interface ResultSet {
  readonly columns: readonly { readonly Name: string; readonly Type: { readonly ScalarType: string } }[];
  /** Returns the next rows; an empty list at the end. */
  readonly read: () => Promise<readonly Row[]>;
}

interface Page {
  readonly QueryId: string;
  readonly Rows: readonly Row[];
  readonly ColumnInfo: ResultSet['columns'];
  readonly NextToken?: string;
}

const MAX_PENDING = 200;
/** A page has at most 1 MB, as in the service. */
const MAX_BYTES = 1_000_000;

const randomId = (bytes: number) => randomBytes(bytes).toString('hex').toUpperCase();

const bytesOf = ({ Data }: Row) =>
  Data.reduce((sum, value) => sum + 20 + ('ScalarValue' in value ? value.ScalarValue.length : 0), 0);

export class Pages {
  /** By token. A fetched page is kept, so that a repeated request gets the same page. */
  private readonly pending = new Map<
    string,
    { readonly query: string; readonly page: (max?: number) => Promise<Page> }
  >();

  /** The first page of a query. */
  first(query: string, result: ResultSet, maxRows: number | undefined): Promise<Page> {
    return this.page(randomId(16), query, result, [], maxRows);
  }

  /** The page of a token. @throws ValidationException if the token is unknown or belongs to another query */
  next(query: string, token: string, maxRows: number | undefined): Promise<Page> {
    const pending = this.pending.get(token);
    if (pending?.query !== query) {
      throw validationError('The NextToken is not valid for this query, or has expired.');
    }
    return pending.page(maxRows);
  }

  private async page(
    QueryId: string,
    query: string,
    result: ResultSet,
    left: readonly Row[],
    maxRows = Number.MAX_SAFE_INTEGER,
  ): Promise<Page> {
    let rows = left;
    let count = 0;
    for (let bytes = 0; ; count++) {
      // One extra row shows whether there is a next page.
      if (count === rows.length) {
        const more = await result.read();
        if (more.length === 0) break;
        rows = [...rows.slice(0, count), ...more];
      }
      const row = rows[count];
      if (!row || count >= maxRows) break;
      bytes += bytesOf(row);
      if (bytes > MAX_BYTES && count > 0) break;
    }
    const page = { QueryId, Rows: rows.slice(0, count), ColumnInfo: result.columns };
    if (count === rows.length) return page;
    return { ...page, NextToken: this.remember(QueryId, query, result, rows.slice(count)) };
  }

  private remember(queryId: string, query: string, result: ResultSet, left: readonly Row[]): string {
    const token = randomId(24);
    let page: Promise<Page> | undefined;
    this.pending.set(token, {
      query,
      page: (maxRows) => {
        page ??= this.page(queryId, query, result, left, maxRows);
        return page;
      },
    });
    for (const oldest of this.pending.keys()) {
      if (this.pending.size <= MAX_PENDING) break;
      this.pending.delete(oldest);
    }
    return token;
  }
}
