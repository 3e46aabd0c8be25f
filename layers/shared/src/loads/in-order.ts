/** Does several things at once and hands over their results in the order in which they were begun. */

/**
 * The results of `work` for each item, in the items' order, with at most `limit` of them under way or waiting to be taken. Leaving the
 * iteration early leaves what is under way to itself.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const begun: Promise<Result>[] = [];
  for await (const item of items) {
    const result = work(item);
    // A failure is met when its turn comes; until then it is not unhandled.
    result.catch(() => undefined);
    begun.push(result);
    if (begun.length >= limit) yield await (begun.shift() as Promise<Result>);
  }
  for (const result of begun) yield await result;
}
