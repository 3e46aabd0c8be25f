/** A clock without waiting: when nothing else is left to do, it jumps to the next timer. */
import type { Clock } from 'shared/resilience/clock';

export class VirtualClock implements Clock {
  private time = 0;
  private timers: { at: number; fire: () => void }[] = [];
  private running = false;

  now(): number {
    return this.time;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        this.timers = this.timers.filter((other) => other !== timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = { at: this.time + Math.max(0, ms), fire: done };
      this.timers.push(timer);
      signal?.addEventListener('abort', done);
      this.run();
    });
  }

  private run(): void {
    if (this.running) return;
    this.running = true;
    setImmediate(() => {
      this.running = false;
      const [next] = this.timers.sort((a, b) => a.at - b.at);
      if (!next) return;
      this.time = next.at;
      next.fire();
      this.run();
    });
  }
}
