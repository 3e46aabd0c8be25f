/** Numbers of tuples, against a map with the tuples' text as key. */
import fc from 'fast-check';
import { TupleTable } from 'shared/points/tuples';

/** Members below a limit, from a table of all possible tuples to more bits than an integer has. */
const batches = fc.array(fc.constantFrom(1, 2, 3, 50, 5000, 2 ** 31 - 1), { maxLength: 8 }).chain((limits) =>
  fc.array(fc.array(fc.tuple(...limits.map((limit) => fc.nat(limit - 1))), { minLength: 1, maxLength: 40 }), {
    minLength: 1,
    maxLength: 8,
  }),
);

test('equal tuples have the same number, and new tuples get the next one', () => {
  let packed = 0;
  let hashed = 0;
  fc.assert(
    fc.property(batches, (all) => {
      const width = all[0]?.[0]?.length ?? 0;
      const table = new TupleTable(width);
      const known = new Map<string, number>();
      const counts = Array<number>(width).fill(1);
      for (const tuples of all) {
        const columns = counts.map((_, index) => Int32Array.from(tuples, (tuple) => tuple[index] ?? 0));
        for (const [index, column] of columns.entries())
          counts[index] = Math.max(counts[index] ?? 1, 1 + Math.max(...column));
        const ids = new Int32Array(tuples.length);
        table.read(columns, counts, tuples.length, ids);
        const expected = tuples.map((tuple) => {
          const id = known.get(String(tuple)) ?? known.size;
          known.set(String(tuple), id);
          return id;
        });
        expect([...ids]).toEqual(expected);
      }
      expect(table.size).toBe(known.size);
      for (const [text, id] of known) expect(counts.map((_, index) => table.member(id, index)).join()).toBe(text);
      const bits = counts.reduce((sum, count) => sum + Math.ceil(Math.log2(count)), 0);
      if (bits <= 16) packed++;
      else hashed++;
    }),
    { numRuns: 300 },
  );
  expect(Math.min(packed, hashed)).toBeGreaterThan(20);
});

test('a table grows with the tuples', () => {
  const table = new TupleTable(2);
  const rows = 5000;
  const columns = [
    Int32Array.from({ length: rows }, (_, row) => row % 70),
    Int32Array.from({ length: rows }, (_, row) => row),
  ];
  const ids = new Int32Array(rows);
  for (let round = 0; round < 2; round++) {
    table.read(columns, [70, rows], rows, ids);
    expect([...ids]).toEqual([...Array(rows).keys()]);
  }
});
