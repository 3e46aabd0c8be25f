import { ByteMap, hashBytes, hashWord } from 'shared/line-protocol/byte-map';
import { viewOf } from 'shared/line-protocol/words';

type Key = readonly [basis: number, first: number, second: number];

/** @param text of whole words of four bytes */
function hashText(text: string, [basis, first, second]: Key): number {
  const words = new Int32Array(new Uint8Array(Buffer.from(text)).buffer);
  return words.reduce((hash, word) => hashWord(hash, word, first, second), basis);
}

/** 2**blocks texts with the same hash: for each block, two texts that lead to the same hash. */
function collidingTexts(blocks: number, [basis, ...multipliers]: Key): readonly string[] {
  let texts = ['m,a='];
  let hash = hashText(texts[0], [basis, ...multipliers]);
  for (let block = 0; block < blocks; block++) {
    const seen = new Map<number, string>();
    for (let n = 0, found = false; !found; n++) {
      const text = (Math.imul(n, 0x9e3779b1) >>> 0).toString(36).padStart(8, '0');
      const next = hashText(text, [hash, ...multipliers]);
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

const KEY: Key = [0x12345678, 0x5bd1e995, 0x1b873593];
const OTHER_KEYS: readonly Key[] = [
  // The same low bytes.
  [0x7a9b1c78, 0x3c6ef395, 0x2c1b3c93],
  [0x0badf078, 0x5bd1e895, 0x1b873593],
  [0x12345678, 0x7a5b1a95, 0x1b873593],
  // Only one part differs.
  [0x12345678, 0x27d4eb2f, 0x1b873593],
  [0x12345678, 0x5bd1e995, 0x7ed55d17],
  [0x2c1b3c78, 0x5bd1e995, 0x1b873593],
];

test('texts that collide with one key have different hashes with another key', () => {
  const texts = collidingTexts(4, KEY);
  const hashesWith = (key: Key): number => new Set(texts.map((text) => hashText(text, key))).size;
  expect([texts.length, hashesWith(KEY)]).toEqual([16, 1]);
  expect(OTHER_KEYS.map(hashesWith)).toEqual(OTHER_KEYS.map(() => 16));
});

test('a difference in one bit of a word that the next word undoes with one key is not undone with another key', () => {
  const pair = ([basis, ...multipliers]: Key, bit: number, undo: number): readonly [number, number] => {
    const [one, other] = [0x31323334, 0x31323334 ^ bit].map((word) => hashWord(basis, word, ...multipliers));
    return [hashWord(one, 0x35363738, ...multipliers), hashWord(other, 0x35363738 ^ undo, ...multipliers)];
  };
  for (let shift = 0; shift < 32; shift++) {
    const bit = 1 << shift;
    const [basis, ...multipliers] = KEY;
    const undo = hashWord(basis, 0x31323334, ...multipliers) ^ hashWord(basis, 0x31323334 ^ bit, ...multipliers);
    const [one, other] = pair(KEY, bit, undo);
    expect(one).toBe(other);
    for (const key of OTHER_KEYS) {
      const [first, second] = pair(key, bit, undo);
      expect([shift, first]).not.toEqual([shift, second]);
    }
  }
});

test('numbers distinct texts from 0, and finds each one again, as a Map does', () => {
  const texts = Array.from(
    { length: 3_000 },
    (_, n) => `${'\0'.repeat(n % 4)}${Math.imul(n % 1_000, 2_654_435_761) >>> 22}`,
  );
  const bytes = Buffer.from(texts.join(''));
  const view = viewOf(bytes);
  const expected = new Map<string, number>();
  const map = new ByteMap(1);
  let start = 0;
  for (const text of texts) {
    const end = start + text.length;
    const hash = hashBytes(view, start, end);
    const found = map.find(view, start, end, hash);
    expect([text, found]).toEqual([text, expected.get(text) ?? -1]);
    if (found < 0) {
      expect(map.add(start, end, hash)).toBe(expected.size);
      expected.set(text, expected.size);
    }
    start = end;
  }
  expect(map.length).toBe(expected.size);
});
