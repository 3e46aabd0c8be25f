/** Circuit breaker: stops calls to a service that is unavailable, probes it from time to time, and fails if it stays unavailable. */
import { type Clock, systemClock } from './clock';

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  readonly failures?: number;
  /** Maximum time between two probes, ms; the minimum is half of it. */
  readonly probeEveryMs?: number;
  /** Time open after which all waiting calls fail, ms. The default allows for a restart of the service. */
  readonly failAfterMs?: number;
  /** Whether calls wait while it is open; if not, those that are no probe fail at once, however long it stays open. */
  readonly waits?: boolean;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** The result of a call says nothing about the service, for example because the caller ended it early. */
export const UNKNOWN = Symbol('unknown');

export class CircuitBreaker {
  private readonly options: Required<BreakerOptions>;
  private failures = 0;
  private openSince: number | undefined;
  private nextProbe = 0;
  private probing = false;
  private reason = '';
  /** Ends the delays of calls that wait; undefined while none does, because to abort it takes 24 µs. */
  private changed: AbortController | undefined;

  /** @param unavailable makes the error of a waiting call from the time open, ms, and the reason of the last failure */
  constructor(
    private readonly unavailable: (openMs: number, reason: string) => Error,
    options: BreakerOptions = {},
  ) {
    const defaults = {
      failures: 3,
      probeEveryMs: 2000,
      failAfterMs: 30_000,
      waits: true,
      clock: systemClock,
      random: Math.random,
    };
    this.options = { ...defaults, ...options };
  }

  /** Whether calls have to wait. */
  get isOpen(): boolean {
    return this.openSince !== undefined;
  }

  /**
   * Makes the call: at once while the breaker is closed. While it is open, one call at a time is a probe and the others wait, or fail.
   * @param failureOf the reason if the result means that the service is unavailable, UNKNOWN, or undefined if it is available
   * @param signal ends the wait; the call is still made, and should check the signal itself
   * @throws the error of `unavailable` when the breaker has been open for `failAfterMs`, or at once if calls do not wait
   */
  async run<T>(
    call: () => Promise<T>,
    failureOf: (result: T) => string | undefined | typeof UNKNOWN,
    signal?: AbortSignal,
  ): Promise<T> {
    const isProbe = await this.admit(signal);
    try {
      const result = await call();
      const reason = failureOf(result);
      if (reason === undefined) this.close();
      else if (reason !== UNKNOWN) this.fail(reason, isProbe);
      return result;
    } finally {
      if (isProbe) this.probing = false;
      this.wakeWaiting();
    }
  }

  private async admit(signal: AbortSignal | undefined): Promise<boolean> {
    const { clock, failAfterMs, waits } = this.options;
    while (this.openSince !== undefined && !signal?.aborted) {
      const now = clock.now();
      const left = this.openSince + failAfterMs - now;
      if (waits && left <= 0) throw this.unavailable(failAfterMs, this.reason);
      if (!this.probing && now >= this.nextProbe) {
        this.probing = true;
        return true;
      }
      if (!waits) throw this.unavailable(now - this.openSince, this.reason);
      const wait = this.probing ? left : Math.min(left, this.nextProbe - now);
      this.changed ??= new AbortController();
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
    this.changed?.abort();
    this.changed = undefined;
  }
}
