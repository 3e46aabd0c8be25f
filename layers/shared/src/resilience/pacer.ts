/** Lets calls start at a bounded rate: each waits until the one before it is an interval old. */
import { type Clock, systemClock } from './clock';

export class Pacer {
  private next = 0;

  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Resolves when the caller may start, or when the signal aborts: the caller looks at the signal. */
  async turn(signal?: AbortSignal): Promise<void> {
    const now = this.clock.now();
    const start = Math.max(now, this.next);
    this.next = start + this.intervalMs;
    if (start > now) await this.clock.delay(start - now, signal);
  }
}
