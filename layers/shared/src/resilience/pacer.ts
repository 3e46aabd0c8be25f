/** Lets calls start at a bounded rate: each waits until the one before it is an interval old. */
import { type Clock, systemClock } from './clock';

export class Pacer {
  /** When the next call may start, and the turns that were asked for before it. */
  private next = 0;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Resolves when the caller may start, or when the signal aborts: the caller looks at the signal. */
  turn(signal?: AbortSignal): Promise<void> {
    this.queue = this.queue.then(async () => {
      if (signal?.aborted) return;
      const wait = this.next - this.clock.now();
      if (wait > 0) await this.clock.delay(wait, signal);
      // A turn that was given up leaves its place to the next one.
      if (!signal?.aborted) this.next = this.clock.now() + this.intervalMs;
    });
    return this.queue;
  }
}
