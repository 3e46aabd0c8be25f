/** Stops calls to a service that does not answer, lets one probe through now and then, and gives up when it stays away. */
import { type Clock, systemClock } from './clock';

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  readonly failures?: number;
  /** Longest time between two probes, ms; the shortest is half of it. */
  readonly probeEveryMs?: number;
  /** Time open after which every waiting call is ended, ms: long enough for a restart of the service. */
  readonly failAfterMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export class CircuitBreaker {
  private readonly options: Required<BreakerOptions>;
  private failures = 0;
  private openSince: number | undefined;
  private nextProbe = 0;
  private probing = false;
  private reason = '';
  private changed = new AbortController();

  /** @param unavailable makes the error of a waiting call from the time open, ms, and the reason of the last failure */
  constructor(
    private readonly unavailable: (openMs: number, reason: string) => Error,
    options: BreakerOptions = {},
  ) {
    const defaults = {
      failures: 3,
      probeEveryMs: 2000,
      failAfterMs: 30_000,
      clock: systemClock,
      random: Math.random,
    };
    this.options = { ...defaults, ...options };
  }

  /** Whether calls wait at present. */
  get isOpen(): boolean {
    return this.openSince !== undefined;
  }

  /**
   * Makes the call when it may be made: at once while closed; while open, one call at a time probes and the others wait.
   * @param failureOf the reason where the result means that the service is away, else undefined
   * @param signal ends the waiting; the call is then made all the same, and should see the signal itself
   * @throws the error of `unavailable` when the breaker has been open for `failAfterMs`
   */
  async run<T>(call: () => Promise<T>, failureOf: (result: T) => string | undefined, signal?: AbortSignal): Promise<T> {
    const isProbe = await this.admit(signal);
    try {
      const result = await call();
      const reason = failureOf(result);
      if (reason === undefined) this.close();
      else this.fail(reason, isProbe);
      return result;
    } finally {
      if (isProbe) this.probing = false;
      this.wakeWaiting();
    }
  }

  private async admit(signal: AbortSignal | undefined): Promise<boolean> {
    const { clock, failAfterMs } = this.options;
    while (this.openSince !== undefined && !signal?.aborted) {
      const now = clock.now();
      const left = this.openSince + failAfterMs - now;
      if (left <= 0) {
        throw this.unavailable(failAfterMs, this.reason);
      }
      if (!this.probing && now >= this.nextProbe) {
        this.probing = true;
        return true;
      }
      const wait = this.probing ? left : Math.min(left, this.nextProbe - now);
      await clock.delay(wait, AbortSignal.any(signal ? [signal, this.changed.signal] : [this.changed.signal]));
    }
    return false;
  }

  private close(): void {
    this.failures = 0;
    this.openSince = undefined;
  }

  private fail(reason: string, isProbe: boolean): void {
    const { clock, random, probeEveryMs, failures } = this.options;
    this.reason = reason;
    this.failures += 1;
    const opens = this.openSince === undefined && this.failures >= failures;
    if (opens) this.openSince = clock.now();
    if (opens || isProbe) this.nextProbe = clock.now() + probeEveryMs * (0.5 + random() / 2);
  }

  private wakeWaiting(): void {
    this.changed.abort();
    this.changed = new AbortController();
  }
}
