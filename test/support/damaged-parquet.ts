/** Parquet files with changed bytes. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { readFileMetaData } from 'shared/parquet/format';
import { thriftChanges, withChangedFooter, withChangedPageHeader } from './damaged-thrift';
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

const names = (): string[] => readdirSync(FOLDER).filter((name) => name.endsWith('.parquet'));

/** A fixture with one to three changed places: bytes, or values of the footer or of a page header. */
export function damagedFile(): fc.Arbitrary<Uint8Array> {
  return fc.oneof(withChangedBytes(), damagedFooter(), damagedPageHeader());
}

function withChangedBytes(): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  return fc.tuple(fc.constantFrom(...names()), changes).map(([name, places]) => {
    const bytes = read(name);
    const footer = footerLength(bytes);
    for (const { inFooter, place, byte, length } of places) {
      const start = inFooter ? bytes.length - 8 - footer : 4;
      const at = start + (place % (bytes.length - 8 - start));
      bytes.fill(byte, at, Math.min(at + length, bytes.length - 8));
    }
    return bytes;
  });
}

/** A fixture with changed values in its footer. */
export function damagedFooter(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.constantFrom(...names()), thriftChanges())
    .map(([name, changes]) => withChangedFooter(read(name), changes));
}

function damagedPageHeader(): fc.Arbitrary<Uint8Array> {
  // An encrypted page header cannot be changed.
  const readable = names().filter((name) => name !== 'encrypted-column.parquet');
  return fc.tuple(fc.constantFrom(...readable), fc.nat(1000), thriftChanges()).map(([name, which, changes]) => {
    const bytes = read(name);
    const chunks = readFileMetaData(bytes.subarray(bytes.length - 8 - footerLength(bytes))).row_groups.flatMap(
      ({ columns }) => columns,
    );
    const data = chunks[which % chunks.length]?.meta_data;
    if (!data) return bytes;
    return withChangedPageHeader(bytes, data.dictionary_page_offset || data.data_page_offset, changes);
  });
}

const footerLength = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
