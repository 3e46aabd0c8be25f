/** Thrift's compact protocol, byte by byte as its specification says. */
import {
  advisory,
  bool,
  i32,
  i64,
  list,
  oneOf,
  optional,
  present,
  readStruct,
  required,
  string,
  struct,
} from 'shared/parquet/thrift';

const point = struct('Point', {
  x: required(1, i32),
  label: optional(2, string),
  isOn: optional(3, bool),
  sizes: optional(4, list(i64, 3)),
  kind: optional(5, oneOf(['A', 'B'])),
  mark: optional(6, present),
});
const read = (...bytes: number[]) => readStruct(point, { bytes: Uint8Array.from(bytes), offset: 0 });

test('reads declared fields of every type', () => {
  // x = -1, label = "é", isOn = true, sizes = [1, -2^40], kind = 1, mark = {}.
  const minus2pow40 = [0xff, 0xff, 0xff, 0xff, 0xff, 0x3f];
  expect(read(0x15, 1, 0x18, 2, 0xc3, 0xa9, 0x11, 0x19, 0x26, 2, ...minus2pow40, 0x15, 2, 0x1c, 0, 0)).toEqual({
    x: -1,
    label: 'é',
    isOn: true,
    sizes: [1, -(2 ** 40)],
    kind: 'B',
    mark: true,
  });
});

test('reads a field id that does not follow the one before', () => {
  expect(read(0x15, 2, 0x05, 10, 4, 0)).toMatchObject({ x: 1, kind: 'unknown' });
});

test('skips undeclared fields of every type', () => {
  const skipped = [
    [0x01], // true
    [0x03, 9], // i8
    [0x06, 0x80, 1], // i64
    [0x07, 1, 2, 3, 4, 5, 6, 7, 8], // double
    [0x08, 2, 65, 66], // binary
    [0x09, 0x21, 1, 2], // list of booleans
    [0x0a, 0x15, 2], // set of i32
    [0x0b, 1, 0x85, 1, 65, 2], // map of binary to i32
    [0x0b, 0], // empty map
    [0x0c, 0x15, 2, 0], // structure
    [0x0d, ...Array.from({ length: 16 }, () => 1)], // uuid
  ].flatMap(([type = 0, ...value]) => [type, 0x80, 1, ...value]);
  // Id 64 each, then x, whose id is lower.
  expect(read(...skipped, 0x05, 2, 8, 0)).toMatchObject({ x: 4 });
});

test.each<[string, number[], string]>([
  ['of another type', [0x18, 1, 65, 0], 'Point.x is not an integer'],
  ['that is a number instead of a text', [0x15, 2, 0x15, 2, 0], 'Point.label is not a string'],
  ['that is a number instead of a boolean', [0x15, 2, 0x25, 2, 0], 'Point.isOn is not a boolean'],
  ['that is no list', [0x15, 2, 0x35, 2, 0], 'Point.sizes is not a list'],
  ['whose list has elements of another type', [0x15, 2, 0x39, 0x18, 1, 65, 0], 'Point.sizes is not an integer'],
  ['of too many elements', [0x15, 2, 0x39, 0x46, 2, 2, 2, 2, 0], 'Point.sizes has 4 elements, the limit is 3'],
  ['that is missing', [0], 'Point.x is missing'],
  ['of more than 32 bits', [0x16, 0x80, 0x80, 0x80, 0x80, 0x20, 0], 'Point.x has more than 32 bits'],
  ['of more than 64 bits', [0x16, ...Array.from({ length: 20 }, () => 0xff), 0], 'Point.x has an integer of more than'],
  ['that is cut off', [0x15], 'Point.x ends beyond the bytes'],
  ['whose text is longer than the bytes', [0x15, 2, 0x18, 9, 65], 'Point.label ends beyond the bytes'],
  ['whose list is longer than the bytes', [0x15, 2, 0x39, 0xf6, 0x80, 1], 'Point.sizes ends beyond the bytes'],
  ['of an unknown wire type', [0xff], 'Point has a value of the unknown type 15'],
  ['nested too deeply', [0xfc, ...Array.from({ length: 100 }, () => 0x1c)], 'Point has more than 32 levels'],
])('refuses a field %s and names it', (_, bytes, fault) => {
  expect(() => read(...bytes)).toThrow(fault);
});

test('passes over an advisory value of another type', () => {
  const advised = struct('Advised', { x: optional(1, advisory(i32)), y: required(2, i32) });
  const readAdvised = (...bytes: number[]) => readStruct(advised, { bytes: Uint8Array.from(bytes), offset: 0 });
  expect(readAdvised(0x15, 2, 0x15, 4, 0)).toEqual({ x: 1, y: 2 });
  expect(readAdvised(0x18, 2, 65, 66, 0x15, 4, 0)).toEqual({ x: undefined, y: 2 });
  expect(() => readAdvised(0x18, 200, 65)).toThrow('Advised.x ends beyond the bytes');
});
