import { hashByte } from 'shared/line-protocol/byte-map';

type Key = readonly [basis: number, multiplier: number];

const hashText = (text: string, [basis, multiplier]: Key): number =>
  Buffer.from(text).reduce((hash, byte) => hashByte(hash, byte, multiplier), basis);

/** 2**blocks texts with the same hash: for each block, two texts that lead to the same hash. */
function collidingTexts(blocks: number, [basis, multiplier]: Key): readonly string[] {
  let texts = ['m,a='];
  let hash = hashText(texts[0], [basis, multiplier]);
  for (let block = 0; block < blocks; block++) {
    const seen = new Map<number, string>();
    for (let n = 0, found = false; !found; n++) {
      const text = (Math.imul(n, 0x9e3779b1) >>> 0).toString(36).padStart(7, '0');
      const next = hashText(text, [hash, multiplier]);
      const other = seen.get(next);
      seen.set(next, text);
      if (other === undefined) continue;
      texts = texts.flatMap((start) => [start + other, start + text]);
      hash = next;
      found = true;
    }
  }
  return texts;
}

test('texts that collide with one key have different hashes with another key', () => {
  const key: Key = [0x12345678, 0x5bd1e995];
  const texts = collidingTexts(4, key);
  const hashesWith = (other: Key): number => new Set(texts.map((text) => hashText(text, other))).size;
  expect([texts.length, hashesWith(key)]).toEqual([16, 1]);
  const others: readonly Key[] = [
    // The same low bytes.
    [0x7a9b1c78, 0x3c6ef395],
    [0x0badf078, 0x5bd1e895],
    [0x12345678, 0x7a5b1a95],
    // Only another multiplier, only another basis.
    [0x12345678, 0x27d4eb2f],
    [0x2c1b3c78, 0x5bd1e995],
  ];
  expect(others.map(hashesWith)).toEqual(others.map(() => 16));
});
