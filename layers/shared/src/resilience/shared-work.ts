/** Work that several callers share. Each caller waits until its own signal aborts; when the last one stops, the work is aborted. */
import { untilAborted } from './backoff';

export class SharedWork<T> {
  private readonly controller = new AbortController();
  private readonly result: Promise<T>;
  private waiting = 0;

  /** @param work must stop when its signal aborts */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.result = work(this.controller.signal);
    // Callers of `join` get the failure. If none is left, it must not become an unhandled rejection.
    this.result.catch(() => undefined);
  }

  /** Whether the last caller has stopped waiting. Later callers need new work. */
  get isAborted(): boolean {
    return this.controller.signal.aborted;
  }

  /** Waits for the result of the work. @throws the error of the work, or the reason of `signal` when it aborts */
  async join(signal: AbortSignal): Promise<T> {
    this.waiting++;
    try {
      return await untilAborted(this.result, signal);
    } finally {
      if (--this.waiting === 0 && signal.aborted) this.controller.abort();
    }
  }
}
