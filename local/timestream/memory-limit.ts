/** Ends queries whose result does not fit into memory, such as a join without a condition: DuckDB's own limit does not include results. */
import { totalmem } from 'node:os';
import { validationError } from './errors';

const CHECK_MS = 100;

/** A quarter of the memory of this machine or its container, in bytes. */
export const QUERY_BYTES = Math.floor(
  Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 4,
);

/**
 * Runs a query. Its signal aborts when the given one does, or when the process has grown by `maxBytes` since the start.
 * @throws ValidationException if it has grown by that
 */
export async function withinMemory<T>(
  run: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  maxBytes = QUERY_BYTES,
): Promise<T> {
  const before = process.memoryUsage.rss();
  const full = new AbortController();
  const timer = setInterval(() => {
    if (process.memoryUsage.rss() - before > maxBytes) full.abort();
  }, CHECK_MS);
  try {
    return await run(AbortSignal.any([signal, full.signal]));
  } catch (error) {
    if (!full.signal.aborted) throw error;
    const megabytes = Math.round(maxBytes / 1e6).toLocaleString('en');
    throw validationError(
      `The query needs more than ${megabytes} MB of memory: select less, for example with a condition on time or a LIMIT.`,
    );
  } finally {
    clearInterval(timer);
  }
}
