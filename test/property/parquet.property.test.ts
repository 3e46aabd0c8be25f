/** Parquet files with changed bytes: points or a DataConversionError, never a dead process, and the next file is read as ever. */
import fc from 'fast-check';
import { readFooter } from 'shared/parquet/footer';
import { damagedFile, damagedFooter, goodFile } from '../support/damaged-parquet';
import { FACTOR, runs } from '../support/fuzz';
import { collect, memorySource, testReader } from '../support/parquet';
import { runProgram } from '../support/program';

const MAX_GROWTH_MB = 150;
const reader = testReader();

test(
  'changed files give points or an error that names them; a good file reads right after each',
  async () => {
    const good = goodFile();
    const { lines } = await collect(reader, memorySource(good));
    expect(lines).toHaveLength(300);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(damagedFile(), async (file) => {
        const name = 's3://bucket/damaged.parquet';
        const outcome = await collect(reader, memorySource(file, name)).catch((error: unknown) => error);
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({ name: 'DataConversionError', object: name });
          refused++;
        }
        expect((await collect(reader, memorySource(good))).lines).toEqual(lines);
      }),
      runs(60),
    );
    expect(refused).toBeGreaterThan(0);
  },
  60_000 * FACTOR,
);

test(
  'a changed footer is read, or refused with a reason',
  () => {
    let refused = 0;
    fc.assert(
      fc.property(damagedFooter(), (file) => {
        try {
          const { rows, columns, rowGroups } = readFooter(file, file.length);
          expect(rows).toBe(rowGroups.reduce((sum, group) => sum + group.rows, 0));
          for (const { name, declared } of columns)
            expect([typeof name, typeof declared]).toEqual(['string', 'string']);
          for (const { start, compressed } of rowGroups.flatMap(({ chunks }) => [...chunks.values()])) {
            expect(start).toBeGreaterThanOrEqual(4);
            expect(start + compressed).toBeLessThan(file.length);
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'UnreadableFile', message: expect.stringMatching(/^corrupt: /) });
          refused++;
        }
      }),
      runs(500),
    );
    expect(refused).toBeGreaterThan(0);
  },
  60_000 * FACTOR,
);

/** A worker has tens of MB, and some of these files end theirs. */
test('changed files leave no memory behind', async () => {
  const result = await runProgram('test/support/damaged-parquet-memory.ts', { arguments: ['100'] });
  const { grownMegabytes, refused } = result as { grownMegabytes: number; refused: number };
  expect(refused).toBeGreaterThan(10);
  expect(grownMegabytes).toBeLessThan(MAX_GROWTH_MB);
});
