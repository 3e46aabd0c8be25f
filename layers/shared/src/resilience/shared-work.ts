/** Work that several callers share. Each caller waits until its own signal aborts; when the last one stops, the work is aborted. */
import { untilAborted } from './backoff';

export class SharedWork<T> {
  private readonly controller = new AbortController();
  private readonly result: Promise<T>;
  private waiting = 0;
  private hasEnded = false;

  /**
   * @param work must stop when its signal aborts
   * @param ended called once, when the work settles or is aborted, before the callers of `join` continue. Later callers need new work.
   */
  constructor(
    work: (signal: AbortSignal) => Promise<T>,
    private readonly ended: (isFailed: boolean) => void,
  ) {
    this.result = work(this.controller.signal);
    // Callers of `join` get the failure. If none is left, it must not become an unhandled rejection.
    this.result.then(
      () => this.end(false),
      () => this.end(true),
    );
  }

  /** Waits for the result of the work. @throws the error of the work, or the reason of `signal` when it aborts */
  async join(signal: AbortSignal): Promise<T> {
    this.waiting++;
    try {
      return await untilAborted(this.result, signal);
    } finally {
      if (--this.waiting === 0 && signal.aborted && !this.hasEnded) {
        this.end(true);
        this.controller.abort();
      }
    }
  }

  private end(isFailed: boolean): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.ended(isFailed);
  }
}
