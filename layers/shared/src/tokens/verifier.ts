/** Verifies that a request presents an accepted token. Caches the secret with the tokens for a short time. */
import { TokensUnavailableError } from '../errors';
import type { Logger } from '../logger';
import { withinLimit } from '../resilience/time-limit';
import type { FetchSecret } from '../secrets';
import { type AcceptedToken, acceptedTokens, findToken } from './accepted';
import { type CredentialSource, presentedTokens } from './presented';

/** The secret is read again after this time. A token that was removed from it stops working after at most this time. */
export const FRESH_MS = 60_000;
/** If the secret cannot be read again, the cached one is valid for this time. */
export const STALE_MS = 300_000;
/** Minimum time between two reads, for an unknown token and after a failure. */
export const READ_INTERVAL_MS = 10_000;
/** Timeout of a read. In a private network without an endpoint for Secrets Manager, the call would hang. */
const READ_LIMIT_MS = 2_000;

export interface VerifierOptions {
  /** ms since 1970; a monotonic clock would stop while the container is frozen. */
  readonly now?: () => number;
  /** Timeout of reading the secret, ms. */
  readonly limitMs?: number;
}

export class TokenVerifier {
  private accepted: readonly AcceptedToken[] = [];
  private readAt = Number.NEGATIVE_INFINITY;
  private triedAt = Number.NEGATIVE_INFINITY;
  private failure: unknown;
  private reading: Promise<void> | undefined;
  private readonly now: () => number;
  private readonly limitMs: number;

  constructor(
    private readonly fetchSecret: FetchSecret,
    private readonly logger: Pick<Logger, 'warn'>,
    { now = Date.now, limitMs = READ_LIMIT_MS }: VerifierOptions = {},
  ) {
    this.now = now;
    this.limitMs = limitMs;
  }

  /**
   * The accepted token that the request presents; undefined if it presents none. For an unknown token the secret is read again, so
   * that new tokens work soon.
   * @throws TokensUnavailableError if the secret cannot be read and the cached one is too old
   */
  async verify(request: CredentialSource): Promise<AcceptedToken | undefined> {
    const presented = presentedTokens(request);
    if (presented.length === 0) return undefined;
    if (!this.isWithin(FRESH_MS, this.readAt)) await this.read();
    const found = this.find(presented);
    if (found !== undefined) return found;
    await this.read();
    return this.find(presented);
  }

  private find(presented: readonly string[]): AcceptedToken | undefined {
    if (this.isWithin(STALE_MS, this.readAt)) return findToken(this.accepted, presented);
    throw new TokensUnavailableError('the secret of the tokens cannot be read', { cause: this.failure });
  }

  /** Reads the secret, unless there was an attempt within the minimum time. Concurrent requests share one read. Never throws. */
  private async read(): Promise<void> {
    if (this.reading === undefined && this.isWithin(READ_INTERVAL_MS, this.triedAt)) return;
    this.reading ??= this.readNow().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
  }

  private async readNow(): Promise<void> {
    const began = this.now();
    this.triedAt = began;
    try {
      this.accepted = acceptedTokens(await withinLimit(this.limitMs, this.fetchSecret));
      this.readAt = began;
    } catch (error) {
      this.failure = error;
      this.logger.warn('the secret of the tokens cannot be read', { error });
    }
  }

  /** Whether less than `ms` have passed since `since`; false if the clock was set back. */
  private isWithin(ms: number, since: number): boolean {
    const passed = this.now() - since;
    return passed >= 0 && passed < ms;
  }
}
