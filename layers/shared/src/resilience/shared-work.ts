/** Work that several callers wait for, each until its own signal aborts; it is aborted itself once nobody waits for it any more. */
import { untilAborted } from './backoff';

export class SharedWork<T> {
  private readonly controller = new AbortController();
  private readonly result: Promise<T>;
  private waiting = 0;

  /** @param work must end when its signal aborts */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.result = work(this.controller.signal);
    // Those who wait see a failure; after the last one has left there is nobody to see it.
    this.result.catch(() => undefined);
  }

  /** True once the last caller has left; callers that come later need new work. */
  get isAborted(): boolean {
    return this.controller.signal.aborted;
  }

  /** The result of the work. @throws what the work throws, or the reason of `signal` once that aborts */
  async join(signal: AbortSignal): Promise<T> {
    this.waiting++;
    try {
      return await untilAborted(this.result, signal);
    } finally {
      if (--this.waiting === 0 && signal.aborted) this.controller.abort();
    }
  }
}
