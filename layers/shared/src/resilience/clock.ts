/** Time as a parameter, so that tests need no waiting. */
import { delay } from './backoff';

export interface Clock {
  /** ms, of any origin; never goes back. */
  now(): number;
  /** As `delay` of the backoff module. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = { now: () => performance.now(), delay };
