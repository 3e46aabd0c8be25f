/** A timeout for calls to services. */

/**
 * Returns the result of `work`, or throws after `limitMs`. The signal then aborts, and `work` must stop.
 * @throws the error of `work`, or an Error that names the limit
 */
export async function withinLimit<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      abort.abort();
      reject(new Error(`no response within ${limitMs / 1000} s`));
    }, limitMs);
  });
  try {
    return await Promise.race([work(abort.signal), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
