/** Objects are read whole, wherever the text is split into chunks. */
import fc from 'fast-check';
import { jsonObjects } from 'shared/loads/json-objects';

async function* pieces(text: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.subarray(at, at + size));
}

async function collect(text: string, size: number): Promise<unknown[]> {
  const objects: unknown[] = [];
  for await (const object of jsonObjects(pieces(Buffer.from(text), size), 'file')) objects.push(object);
  return objects;
}

const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test.each([
  ['JSON Lines', (objects: unknown[]) => objects.map((each) => `${JSON.stringify(each)}\n`).join('')],
  ['an array', (objects: unknown[]) => JSON.stringify(objects)],
  ['an array on many lines', (objects: unknown[]) => JSON.stringify(objects, null, 2)],
])('reads the objects of %s', async (_, write) => {
  await fc.assert(
    fc.asyncProperty(fc.array(object), fc.integer({ min: 1, max: 50 }), async (objects, size) => {
      expect(await collect(write(objects), size)).toEqual(plain(objects));
    }),
  );
});

test('accepts a byte order mark, empty lines and line breaks of Windows', async () => {
  expect(await collect('\uFEFF{"a":1}\r\n\r\n{"a":2}\r\n', 3)).toEqual([{ a: 1 }, { a: 2 }]);
});

test.each([
  ['ends early', '{"a":1}\n{"a":', 'file: ends within object 2'],
  ['is not JSON', '{"a":1}\n{a}', 'file: object 2 is not JSON'],
  [
    'has an address in a line',
    '{"a":1}\ns3://b/k\n',
    'file: line 2 must have JSON objects only, but has s outside of one',
  ],
  ['has a text in an array', '["x"]', 'file: line 1 must have JSON objects only, but has " outside of one'],
  ['has null', '{"a":"\\n"}\n\n null', 'file: line 3 must have JSON objects only, but has n outside of one'],
  ['closes too much', '{"a":\n{}}}\n', 'file: line 2 must have JSON objects only, but has } outside of one'],
  ['is not text', '\u0000', 'file: line 1 must have JSON objects only, but has byte 0x00 outside of one'],
])('rejects a text that %s', async (_, text, message) => {
  await expect(collect(text, 4)).rejects.toMatchObject({ name: 'DataConversionError', message });
});

test('rejects an object above the maximum size before it is complete', async () => {
  const long = (characters: number) => `{"a":1}\n{"a":"${'x'.repeat(characters)}"}`;
  expect(await collect(long(1_000_000), 65_536)).toHaveLength(2);
  await expect(collect(long(1_200_000), 65_536)).rejects.toMatchObject({
    name: 'DataConversionError',
    message: 'file: object 2 is larger than 1 MB',
  });
});
