/** Windows cover the range of a table exactly once, also after any of them were halved. */
import fc from 'fast-check';
import { type CutWindow, cutWindows, type DayRows, halves } from 'shared/migration/windows';

const DAY = 86_400_000_000_000n;

const days = fc
  .uniqueArray(fc.integer({ min: -20_000, max: 30_000 }), { minLength: 1, maxLength: 60 })
  .chain((numbers) =>
    fc.tuple(
      ...numbers
        .sort((a, b) => a - b)
        .map((day) => fc.nat({ max: 300 }).map((rows): DayRows => ({ start: BigInt(day) * DAY, rows }))),
    ),
  );
const limits = fc.record({ rows: fc.integer({ min: 1, max: 200 }), days: fc.integer({ min: 1, max: 10 }) });

/** Whether the windows follow each other without a gap or an overlap, from the first time to the last. */
function assertCover(
  windows: readonly { readonly from: string; readonly to: string }[],
  from: bigint,
  to: bigint,
): void {
  let at = from;
  for (const window of windows) {
    expect(BigInt(window.from)).toBe(at);
    expect(BigInt(window.to)).toBeGreaterThan(at);
    at = BigInt(window.to);
  }
  expect(at).toBe(to);
}

test('cover the range exactly once, with all rows', () => {
  fc.assert(
    fc.property(days, limits, fc.bigInt({ min: 0n, max: DAY - 1n }), (known, limit, offset) => {
      const [first, last] = [known[0], known.at(-1)];
      if (!first || !last || known.every(({ rows }) => rows === 0)) return;
      const [from, to] = [first.start + offset, last.start + DAY + offset];
      const windows = cutWindows(from, to, known, limit);
      assertCover(windows, from, to);
      const rows = (list: readonly { rows: number }[]) => list.reduce((sum, each) => sum + each.rows, 0);
      if (offset === 0n) expect(rows(windows)).toBe(rows(known));
    }),
  );
});

test('have at most the maximum of rows and of days with rows', () => {
  fc.assert(
    fc.property(days, limits, (known, limit) => {
      const [first, last] = [known[0], known.at(-1)];
      if (!first || !last) return;
      for (const { from, to, rows } of cutWindows(first.start, last.start + DAY, known, limit)) {
        expect(rows).toBeLessThanOrEqual(limit.rows);
        const inside = known.filter(({ start, rows: n }) => n > 0 && start < BigInt(to) && start + DAY > BigInt(from));
        expect(inside.length).toBeLessThanOrEqual(limit.days);
      }
    }),
  );
});

test('are still a cover after any of them were halved', () => {
  fc.assert(
    fc.property(days, limits, fc.infiniteStream(fc.nat()), (known, limit, choices) => {
      const [first, last] = [known[0], known.at(-1)];
      if (!first || !last || known.every(({ rows }) => rows === 0)) return;
      const [from, to] = [first.start, last.start + DAY];
      const windows: (CutWindow | { from: string; to: string })[] = cutWindows(from, to, known, limit);
      for (let i = 0; i < 20; i++) {
        const index = choices.next().value % windows.length;
        const window = windows[index];
        const parts = window && halves(window);
        if (parts) windows.splice(index, 1, ...parts);
      }
      assertCover(windows, from, to);
    }),
  );
});

test('a window of 1 ns has no halves', () => {
  expect(halves({ from: '5', to: '6' })).toBeUndefined();
  expect(halves({ from: '5', to: '7' })).toEqual([
    { from: '5', to: '6' },
    { from: '6', to: '7' },
  ]);
});

test('a table without rows has no windows', () => {
  expect(cutWindows(0n, 10n * DAY, [])).toEqual([]);
});
