/** Delays between attempts: how long they are, and how a signal ends them early. */

export interface BackoffOptions {
  /** Upper bound of the first delay, ms. */
  readonly baseMs: number;
  /** Upper bound of any delay, ms. */
  readonly capMs: number;
  /** Random numbers, uniform in [0, 1); `Math.random` by default. */
  readonly random?: (() => number) | undefined;
}

/**
 * Delay before a retry with full jitter: uniform between 0 and `min(cap, base * 2^retry)`, in ms.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog.
 * @param retry 0 for the first retry
 */
export function fullJitterDelay(retry: number, options: BackoffOptions): number {
  const random = options.random ?? Math.random;
  return random() * Math.min(options.capMs, options.baseMs * 2 ** retry);
}

/** Waits `ms`, or until the signal aborts. Resolves in both cases: the caller must check the signal. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Settles like `promise`, or rejects with the signal's reason as soon as it aborts. Does not stop the work behind `promise`. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
