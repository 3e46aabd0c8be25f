/** Runs queries on the embedded Timestream, or on Amazon Timestream. */
import { QueryCommand, type QueryCommandOutput, TimestreamQueryClient } from '@aws-sdk/client-timestream-query';
import { assertAwsAccess } from '../cli/aws';
import type { Page } from './format';
import { QueryError } from './query-error';

export interface PageOptions {
  /** Maximum rows of a page, 1 to 1,000. */
  readonly maxRows?: number;
  /** Ends the query. */
  readonly signal?: AbortSignal;
}

export interface QueryService {
  /** All pages of the result. @throws QueryError */
  pages(sql: string, options?: PageOptions): AsyncGenerator<Page>;
}

/** @param endpoint of the embedded Timestream; undefined for Amazon Timestream with the user's credentials */
export async function queryService(endpoint: string | undefined, region: string | undefined): Promise<QueryService> {
  // The embedded Timestream checks no credentials, but the SDK cannot sign without them.
  const embedded = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  const client = new TimestreamQueryClient({
    ...(endpoint !== undefined && { ...embedded, endpoint, maxAttempts: 1 }),
    ...(region !== undefined && { region }),
  });
  if (endpoint === undefined) await assertAwsAccess(client.config);
  return {
    async *pages(QueryString, { maxRows: MaxRows, signal } = {}) {
      let NextToken: string | undefined;
      do {
        const page: QueryCommandOutput = await client
          .send(new QueryCommand({ QueryString, NextToken, MaxRows }), {
            ...(signal !== undefined && { abortSignal: signal }),
          })
          .catch((error: unknown) => {
            throw explained(error, endpoint);
          });
        // The first pages of a slow query may have neither rows nor columns.
        if (page.ColumnInfo !== undefined && (page.ColumnInfo.length > 0 || page.NextToken === undefined)) {
          yield { columns: page.ColumnInfo, rows: page.Rows ?? [] };
        }
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
    },
  };
}

function explained(error: unknown, endpoint: string | undefined): QueryError {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (endpoint !== undefined && (code === 'ECONNREFUSED' || code === 'ENOTFOUND')) {
    const what = `nothing listens at ${endpoint} (${code}): start it with \`influxdb-timestream start\``;
    return new QueryError(`${what}, set another URL with --endpoint-url, or query Amazon Timestream with --aws`);
  }
  const { $response } = error as { readonly $response?: { readonly headers?: Readonly<Record<string, string>> } };
  if (endpoint !== undefined && $response?.headers?.['x-influxdb-version'] !== undefined) {
    return new QueryError(
      `${endpoint} is the write endpoint: SQL is on the port of --timestream-port, by default 9001`,
    );
  }
  const hint =
    name === 'AccessDeniedException'
      ? ' (Timestream for LiveAnalytics is available only to accounts that used it before 2025-06-20)'
      : '';
  return new QueryError(`${name}: ${message || code}${hint}`);
}
