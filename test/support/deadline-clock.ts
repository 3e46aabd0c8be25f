/** A clock for the deadline of a request, which passes when the test says so. */
import type { Clock } from 'shared/resilience/clock';

export class DeadlineClock implements Clock {
  /** What the deadlines were asked for, ms. */
  readonly asked: number[] = [];
  private finish: () => void = () => undefined;
  private isExpired = false;

  now(): number {
    return 0;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    this.asked.push(ms);
    return new Promise((resolve) => {
      this.finish = resolve;
      signal?.addEventListener('abort', () => resolve());
      if (this.isExpired) resolve();
    });
  }

  /** Lets the deadline pass, also one that begins later. */
  expire(): void {
    this.isExpired = true;
    this.finish();
  }

  /** Begins anew. */
  reset(): void {
    this.isExpired = false;
  }
}
