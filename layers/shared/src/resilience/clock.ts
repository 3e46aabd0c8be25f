/** The clock as a parameter, so that tests need not wait. */
import { delay } from './backoff';

export interface Clock {
  /** Monotonic time in ms, from any origin. */
  now(): number;
  /** Same contract as `delay` of the backoff module. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: () => performance.now(), delay };
