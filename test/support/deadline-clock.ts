/** A clock for the deadline of a request; the test decides when the deadline passes. */
import type { Clock } from 'shared/resilience/clock';

export class DeadlineClock implements Clock {
  /** The requested deadlines, ms. */
  readonly requested: number[] = [];
  private finish: () => void = () => undefined;
  private isExpired = false;

  now(): number {
    return 0;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    this.requested.push(ms);
    return new Promise((resolve) => {
      this.finish = resolve;
      signal?.addEventListener('abort', () => resolve());
      if (this.isExpired) resolve();
    });
  }

  /** Lets the deadline pass, also a deadline that begins later. */
  expire(): void {
    this.isExpired = true;
    this.finish();
  }

  /** Resets the clock. */
  reset(): void {
    this.isExpired = false;
  }
}
