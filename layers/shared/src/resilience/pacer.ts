/** Limits the rate of calls: each call starts at least one interval after the previous one. */
import { type Clock, systemClock } from './clock';

export class Pacer {
  /** Earliest start of the next call. */
  private next = 0;
  /** Resolves after the last requested turn. */
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Resolves when the caller may start, or when the signal aborts: the caller must check the signal. */
  turn(signal?: AbortSignal): Promise<void> {
    this.queue = this.queue.then(async () => {
      if (signal?.aborted) return;
      const wait = this.next - this.clock.now();
      if (wait > 0) await this.clock.delay(wait, signal);
      // An aborted turn does not delay the next one.
      if (!signal?.aborted) this.next = this.clock.now() + this.intervalMs;
    });
    return this.queue;
  }
}
