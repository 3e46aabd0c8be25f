/** Does several things at once and hands over their results in the order in which they were begun. */
import { setMaxListeners } from 'node:events';

/**
 * The results of `work` for each item, in the items' order, with at most `limit` of them under way or waiting to be taken. Once the
 * iteration ends, by its last result, an error or a `break`, nothing runs on: what is under way is aborted by its signal and awaited.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result> {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const begun: Promise<Result>[] = [];
  try {
    for await (const item of items) {
      const result = work(item, end.signal);
      // A failure is met when its turn comes; until then it is not unhandled.
      result.catch(() => undefined);
      begun.push(result);
      if (begun.length >= limit) yield await (begun.shift() as Promise<Result>);
    }
    for (let next = begun.shift(); next; next = begun.shift()) yield await next;
  } finally {
    end.abort();
    await Promise.allSettled(begun);
  }
}
