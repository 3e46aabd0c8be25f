/** Damaged files, and files that are not Parquet: the error names the file and the reason, and the reader continues to work. */
import { readFileSync } from 'node:fs';
import { collect, collectFixture, fixture, generation, memorySource, testReader } from '../../support/parquet';

const reader = testReader();
const strictReader = testReader({ maxRowGroupBytes: 100 });
const whole = new Uint8Array(readFileSync(fixture('codec-snappy')));
const NAME = 's3://bucket/key.parquet';

test.each([
  ['without bytes', new Uint8Array(0), 'it is empty'],
  ['of a few bytes', new Uint8Array(5), '5 bytes are too few'],
  ['of text', new TextEncoder().encode('timestamp,region,value\n'.repeat(50)), 'does not end in PAR1'],
  ['that is truncated', whole.slice(0, whole.length - 500), 'does not end in PAR1'],
  [
    'with a footer longer than itself',
    withWord(whole, whole.length - 8, 0x7fffffff),
    'for the footer, but the file has',
  ],
  ['with an encrypted footer', withText(whole, whole.length - 4, 'PARE'), 'encrypted'],
])('refuses a file %s', async (_, bytes, fault) => {
  const failure = collect(reader, memorySource(bytes));
  await expect(failure).rejects.toMatchObject({ name: 'DataConversionError', object: NAME });
  await expect(failure).rejects.toThrow(fault);
});

test('refuses a footer that cannot be parsed', async () => {
  const damaged = whole.slice();
  damaged.fill(0xff, whole.length - 400, whole.length - 8);
  await expect(collect(reader, memorySource(damaged))).rejects.toMatchObject({
    name: 'DataConversionError',
    object: NAME,
  });
});

test('names the row group and the column of damaged pages, and reads the next file', async () => {
  // Damages various places in the pages, so that some of the errors are panics.
  const end = whole.length - 8 - new DataView(whole.buffer).getUint32(whole.length - 8, true);
  const faults: string[] = [];
  for (let at = 40; at < end; at += Math.ceil(end / 12)) {
    const damaged = whole.slice();
    damaged.fill(0xff, at, at + 8);
    const outcome = await collect(reader, memorySource(damaged)).catch((error: unknown) => error);
    if (!(outcome instanceof Error)) continue;
    faults.push(outcome.message);
    expect(outcome).toMatchObject({ name: 'DataConversionError', object: NAME, rowGroup: expect.any(Number) });
    // The column, and its type and encoding.
    expect(outcome.message).toMatch(/key.parquet, row group \d: (corrupt: )?column \w+ /);
  }
  expect(faults.some((fault) => /cannot be decoded \(RuntimeError/.test(fault))).toBe(true);
  expect(faults.length).toBeGreaterThan(5);
  expect((await collectFixture(reader, 'codec-snappy')).lines).toHaveLength(300);
}, 30_000);

test('refuses a row group that is larger than allowed, and says what to do', async () => {
  await expect(collect(strictReader, memorySource(whole))).rejects.toThrow(
    /key.parquet, row group 0: the columns to read have 2,623 bytes, the limit is 100 bytes: write the file with smaller row groups/,
  );
});

test('stops when the signal is aborted', async () => {
  const reason = new Error('deadline');
  const options = { signal: AbortSignal.abort(reason) };
  await expect(collect(reader, memorySource(whole), generation, options)).rejects.toBe(reason);
});

function withWord(bytes: Uint8Array, at: number, word: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, word, true);
  return copy;
}

function withText(bytes: Uint8Array, at: number, text: string): Uint8Array {
  const copy = bytes.slice();
  copy.set(Buffer.from(text), at);
  return copy;
}
