/** Parquet files with changed bytes: points or a DataConversionError, never a dead process, and the next file is read as ever. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { FACTOR, runs } from '../fuzz';
import { collect, fixture, memorySource, testReader } from '../support/parquet';

const MOST_GROWTH_MB = 400;
const reader = testReader();
const files = readdirSync(path.dirname(fixture('tags')))
  .filter((name) => name.endsWith('.parquet'))
  .map((name) => new Uint8Array(readFileSync(fixture(name.replace(/\.parquet$/, '')))));
const good = new Uint8Array(readFileSync(fixture('codec-snappy')));

/** Where bytes are changed: anywhere, or in the footer, which is small beside the pages and tells where everything is. */
const change = fc.record({
  inFooter: fc.boolean(),
  place: fc.nat(1_000_000),
  byte: fc.nat(255),
  length: fc.integer({ min: 1, max: 8 }),
});

function damaged(
  file: Uint8Array,
  changes: readonly { inFooter: boolean; place: number; byte: number; length: number }[],
) {
  const bytes = file.slice();
  const footer = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
  for (const { inFooter, place, byte, length } of changes) {
    const start = inFooter ? bytes.length - 8 - footer : 4;
    const at = start + (place % (bytes.length - 8 - start));
    bytes.fill(byte, at, Math.min(at + length, bytes.length - 8));
  }
  return bytes;
}

test(
  'changed files give points or an error that names them; a good file reads right after each',
  async () => {
    const { lines } = await collect(reader, memorySource(good));
    expect(lines).toHaveLength(300);
    const outcomes = { read: 0, refused: 0 };
    const before = process.memoryUsage.rss();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (file, changes) => {
          const name = 's3://bucket/damaged.parquet';
          const outcome = await collect(reader, memorySource(damaged(file, changes), name)).catch(
            (error: unknown) => error,
          );
          if (outcome instanceof Error) {
            expect(outcome).toMatchObject({ name: 'DataConversionError', object: name });
            outcomes.refused++;
          } else outcomes.read++;
          expect((await collect(reader, memorySource(good))).lines).toEqual(lines);
        },
      ),
      runs(25),
    );
    expect(outcomes.refused).toBeGreaterThan(0);
    // Workers that died give their memory back: each has tens of MB.
    expect((process.memoryUsage.rss() - before) / 1024 ** 2).toBeLessThan(MOST_GROWTH_MB);
  },
  60_000 * FACTOR,
);
