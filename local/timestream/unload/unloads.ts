/**
 * The UNLOAD queries of a server: starts them in the background, and serves Query calls that start or poll them. Source: the operation
 * Query in the API reference, and "Limits for UNLOAD" in the developer guide.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { Catalog } from '../catalog';
import { ServiceError, validationError } from '../errors';
import type { Store } from '../store';
import type { UnloadDestination } from './destination';
import { type Unloaded, unload } from './run';
import { parseUnload } from './statement';

export interface UnloadOptions {
  /** Where `s3://bucket/key` is written. */
  readonly destination: UnloadDestination;
  /** Minimum time between the starts of two queries, ms. */
  readonly intervalMs?: number;
  /** Time after which a call returns without rows, ms. */
  readonly waitMs?: number;
  /** Queries with more rows fail as the service fails if a query needs too much memory. */
  readonly maxRows?: number;
}

/** The members of a Query request that concern UNLOAD. */
export interface UnloadRequest {
  readonly sql: string;
  readonly clientToken: string | undefined;
  readonly nextToken: string | undefined;
}

const INTERVAL_MS = 1000;
/** The service returns within 60 s; clients time out after that. */
const WAIT_MS = 30_000;
/** For this time the same ClientToken stands for the same query. */
const SAME_QUERY_MS = 5 * 60_000;
/** After this time a ClientToken may be used again, and tokens of its query are not valid any more. */
const KEPT_MS = 4 * 3_600_000;
const TOKEN_MS = 3_600_000;
const TOKEN_USES = 5;
const COLUMNS = [
  { Name: 'rows', Type: { ScalarType: 'BIGINT' } },
  { Name: 'metadataFile', Type: { ScalarType: 'VARCHAR' } },
  { Name: 'manifestFile', Type: { ScalarType: 'VARCHAR' } },
];

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const queryId = (): string => Array.from({ length: 63 }, () => BASE32[randomInt(32)]).join('');

type Outcome = { readonly unloaded: Unloaded } | { readonly error: unknown };

interface UnloadQuery {
  readonly id: string;
  readonly sql: string;
  readonly clientToken: string | undefined;
  readonly startedMs: number;
  readonly abort: AbortController;
  percentage: number;
  outcome: Outcome | undefined;
  /** Settles with the outcome, and never rejects. */
  ended: Promise<void>;
  /** A token is `<id of the query>.<number>`; only the last used one and newer ones are valid. */
  lastToken: number;
  lastTokenUses: number;
  tokens: number;
}

const invalidToken = () => validationError('Invalid pagination token');

export class Unloads {
  /** By the part of their tokens that is not the number. */
  private readonly queries = new Map<string, UnloadQuery>();
  private lastStart = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly store: Store,
    private readonly catalog: Catalog,
    private readonly now: () => number,
    private readonly options: UnloadOptions | undefined,
  ) {}

  /** Carries out Query for an UNLOAD statement. @throws ServiceError also for a query that has failed */
  async query(request: UnloadRequest): Promise<object> {
    const [key, query] = request.nextToken === undefined ? this.first(request) : this.next(request, request.nextToken);
    await this.wait(query);
    const { outcome } = query;
    if (outcome !== undefined && 'error' in outcome) throw outcome.error;
    const response = {
      QueryId: query.id,
      ColumnInfo: COLUMNS,
      QueryStatus: {
        ProgressPercentage: outcome === undefined ? query.percentage : 100,
        CumulativeBytesScanned: 0,
        CumulativeBytesMetered: 0,
      },
    };
    if (outcome === undefined) return { ...response, Rows: [], NextToken: `${key}.${++query.tokens}` };
    const { rows, metadataFile, manifestFile } = outcome.unloaded;
    const Data = [String(rows), metadataFile, manifestFile].map((ScalarValue) => ({ ScalarValue }));
    return { ...response, Rows: [{ Data }] };
  }

  /** Whether a query of this id was running; its files stay. */
  cancel(id: string): boolean {
    const query = [...this.queries.values()].find((each) => each.id === id && each.outcome === undefined);
    query?.abort.abort(new ServiceError('ConflictException', 'Unable to poll results for a cancelled query.'));
    return query !== undefined;
  }

  /** Cancels the running queries and waits for them. */
  async close(): Promise<void> {
    const error = new ServiceError('InternalServerException', 'The server stopped before the query ended.');
    for (const { abort } of this.queries.values()) abort.abort(error);
    await Promise.all([...this.queries.values()].map(({ ended }) => ended));
  }

  private first({ sql, clientToken }: UnloadRequest): [string, UnloadQuery] {
    const now = this.now();
    for (const [key, { startedMs, outcome }] of this.queries) {
      if (outcome !== undefined && startedMs + KEPT_MS <= now) this.queries.delete(key);
    }
    const [known] = [...this.queries].filter(
      ([, query]) => clientToken !== undefined && query.clientToken === clientToken,
    );
    if (known === undefined) return this.start(sql, clientToken);
    const [, { sql: earlier, startedMs }] = known;
    if (earlier !== sql) throw validationError('The ClientToken belongs to a query with another QueryString.');
    if (startedMs + SAME_QUERY_MS <= now) throw validationError('The ClientToken is older than five minutes.');
    return known;
  }

  private start(sql: string, clientToken: string | undefined): [string, UnloadQuery] {
    const statement = parseUnload(sql);
    if (this.options === undefined) {
      throw validationError(
        'UNLOAD has no place for its files: start the embedded Timestream with --export-dir DIR or --s3-endpoint URL.',
      );
    }
    const { destination, intervalMs = INTERVAL_MS, maxRows = Number.POSITIVE_INFINITY } = this.options;
    if (performance.now() - this.lastStart < intervalMs) {
      throw new ServiceError('ThrottlingException', 'The rate of UNLOAD queries exceeds one per second.');
    }
    this.lastStart = performance.now();

    const query: UnloadQuery = {
      id: queryId(),
      sql,
      clientToken,
      startedMs: this.now(),
      abort: new AbortController(),
      percentage: 0,
      outcome: undefined,
      ended: Promise.resolve(),
      lastToken: 0,
      lastTokenUses: 0,
      tokens: 0,
    };
    const running = unload({
      statement,
      query: `${query.id}_${randomInt(1_000_000_000, 2 ** 31)}`,
      store: this.store,
      catalog: this.catalog,
      nowMs: query.startedMs,
      destination,
      maxRows,
      signal: query.abort.signal,
      progress: (rows, of) => {
        // The rest of the work is completing the files.
        query.percentage = (99 * rows) / of;
      },
    });
    query.ended = running.then(
      (unloaded) => {
        query.outcome = { unloaded };
      },
      (error: unknown) => {
        // An interrupted query fails for another reason than its cancellation.
        query.outcome = { error: query.abort.signal.aborted ? query.abort.signal.reason : error };
      },
    );
    const key = randomBytes(24).toString('hex').toUpperCase();
    this.queries.set(key, query);
    return [key, query];
  }

  private next({ sql }: UnloadRequest, token: string): [string, UnloadQuery] {
    const [key = '', text = ''] = token.split('.');
    const query = this.queries.get(key);
    const number = Number(text);
    if (query?.sql !== sql || query.startedMs + TOKEN_MS <= this.now()) throw invalidToken();
    // A newer token invalidates the older ones.
    if (!Number.isInteger(number) || number < Math.max(1, query.lastToken) || number > query.tokens)
      throw invalidToken();
    query.lastTokenUses = number === query.lastToken ? query.lastTokenUses + 1 : 1;
    query.lastToken = number;
    if (query.lastTokenUses > TOKEN_USES) throw invalidToken();
    return [key, query];
  }

  private async wait({ ended }: UnloadQuery): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.options?.waitMs ?? WAIT_MS);
    });
    await Promise.race([ended, timeout]);
    clearTimeout(timer);
  }
}
