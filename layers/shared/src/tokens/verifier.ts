/** Says whether a request presents an accepted token; holds the secret of the tokens for a short time. */
import { TokensUnavailableError } from '../errors';
import type { Logger } from '../logger';
import { withinLimit } from '../resilience/time-limit';
import type { FetchSecret } from '../secrets';
import { type AcceptedToken, acceptedTokens, findToken } from './accepted';
import { type CredentialSource, presentedTokens } from './presented';

/** A secret is read again after this time: so long a token works at most after it was taken out of it. */
export const FRESH_MS = 60_000;
/** Where reading it again fails, it is good for so long, from when it was read. */
export const STALE_MS = 300_000;
/** The least time between two readings, whether for a token that is unknown or after a failure. */
export const READ_INTERVAL_MS = 10_000;
/** In a private network without an endpoint for Secrets Manager the call hangs. */
const READ_LIMIT_MS = 2_000;

export interface VerifierOptions {
  /** ms since 1970. The wall clock, since a monotonic one may stand still while a container is frozen. */
  readonly now?: () => number;
  /** How long reading the secret may take. */
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
   * The accepted token that the request presents; undefined where it presents none. An unknown token has the secret read again,
   * so that a new one works soon.
   * @throws TokensUnavailableError where the secret cannot be read, and what was read before is too old
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

  /** Reads the secret, unless that was tried just now; requests at the same time share one reading. Never throws. */
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

  /** Whether less than `ms` have passed; a clock that was set back makes everything old. */
  private isWithin(ms: number, since: number): boolean {
    const passed = this.now() - since;
    return passed >= 0 && passed < ms;
  }
}
