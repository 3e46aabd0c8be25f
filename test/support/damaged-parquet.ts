/** Parquet files with changed bytes. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { fixture } from './parquet';

const FOLDER = dirname(fixture('codec-snappy'));

const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(FOLDER, name)));

/** 300 rows of the dataset `generation`. */
export const goodFile = (): Uint8Array => read('codec-snappy.parquet');

/** Where bytes are changed: anywhere, or in the footer, which is small but contains all positions. */
const change = fc.record({
  inFooter: fc.boolean(),
  place: fc.nat(1_000_000),
  byte: fc.nat(255),
  length: fc.integer({ min: 1, max: 8 }),
});

/** A fixture with one to three changed places. */
export function damagedFile(): fc.Arbitrary<Uint8Array> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.parquet'));
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  return fc.tuple(fc.constantFrom(...names), changes).map(([name, places]) => {
    const bytes = read(name);
    const footer = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
    for (const { inFooter, place, byte, length } of places) {
      const start = inFooter ? bytes.length - 8 - footer : 4;
      const at = start + (place % (bytes.length - 8 - start));
      bytes.fill(byte, at, Math.min(at + length, bytes.length - 8));
    }
    return bytes;
  });
}
