/** Runs several tasks at once and returns their results in the order in which the tasks started. */
import { setMaxListeners } from 'node:events';

/**
 * The results of `work` for each item, in the order of the items. At most `limit` tasks are running or have a result that was not read
 * yet. When the iteration ends, by its last result, an error or a `break`, running tasks are aborted by their signal and awaited.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result> {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const started: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item, end.signal);
      // An error is thrown when its turn comes. Until then, Node must not report it as unhandled.
      result.catch(() => undefined);
      started.push(result);
      if (started.length >= limit) yield await (started.shift() as Promise<Result>);
    }
    for (let next = started.shift(); next; next = started.shift()) yield await next;
  } finally {
    end.abort();
    await Promise.allSettled(started);
  }
}
