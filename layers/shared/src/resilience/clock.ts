/** The clock as a parameter, so that tests need not wait. */
import { delay } from './backoff';

export interface Clock {
  /** Monotonic time in ms, from any origin. */
  now(): number;
  /** Same contract as `delay` of the backoff module. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: () => performance.now(), delay };

/** The clock, and random numbers in [0, 1): by default those of the system. */
export interface Timing {
  readonly clock?: Clock;
  readonly random?: () => number;
}
