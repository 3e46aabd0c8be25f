/** The limit on the memory of a query of the embedded Timestream. */
import { withinMemory } from '../../../local/timestream/memory-limit';
import { Store } from '../../../local/timestream/store';

const MB = 1_000_000;
const never = new AbortController().signal;

describe('a query', () => {
  let store: Store;
  beforeAll(async () => {
    store = await Store.open(undefined);
  });
  afterAll(() => store.close());
  const rowsOf = (sql: string, maxBytes: number): Promise<number> =>
    withinMemory(
      (signal) => store.reading(async (connection) => (await connection.run(sql)).rowCount, signal),
      never,
      maxBytes,
    );

  test('ends with an error that says what to do when its result exceeds the limit, and the next one runs', async () => {
    // 10^10 rows, 80 GB.
    const everything = rowsOf('SELECT a.range FROM range(100000) a, range(100000) b', 200 * MB);
    await expect(everything).rejects.toMatchObject({
      type: 'ValidationException',
      message: expect.stringMatching(/^The query needs more than 200 MB of memory: select less/),
    });
    await expect(rowsOf('SELECT 1', 200 * MB)).resolves.toBe(1);
  });

  test('keeps its own error below the limit', async () => {
    await expect(rowsOf('SELECT * FROM missing', 200 * MB)).rejects.toThrow(/missing/);
  });
});

test('ends when the given signal aborts, with the error of the work', async () => {
  const client = new AbortController();
  const waiting = withinMemory(
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('interrupted')))),
    client.signal,
  );
  client.abort();
  await expect(waiting).rejects.toThrow('interrupted');
});
