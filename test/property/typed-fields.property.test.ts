/** Every number of every source type: as an integer, unsigned integer or float field it is exactly the same number, or it is refused. */
import fc from 'fast-check';
import type { ConcreteField } from 'shared/datasets/resolve';
import type { ArrowColumn } from 'shared/parquet/c-data';
import type { ColumnType } from 'shared/parquet/column-type';
import { Cell } from 'shared/points/cells';
import { fieldCells } from 'shared/points/field-cells';
import { runs } from '../support/fuzz';

/** A number as numerator and denominator. */
interface Exact {
  readonly num: bigint;
  readonly den: bigint;
}

/** A column of one row, and its value. */
interface Source {
  readonly column: ArrowColumn;
  readonly exact: Exact;
  /** Whether the nearest double is the right float. */
  readonly isDecimal: boolean;
}

function column(
  type: ColumnType,
  stored: ArrowColumn['stored']['type'],
  bytes: Uint8Array,
  length?: number,
): ArrowColumn {
  const isText = stored === 'BYTE_ARRAY';
  const memory = new ArrayBuffer(8 + bytes.length);
  new Uint32Array(memory, 0, 2).set([0, bytes.length]);
  new Uint8Array(memory, 8).set(bytes);
  const rest = { offset: 0, validity: undefined, memory, buffer: (index: number) => (isText && index === 1 ? 0 : 8) };
  return { name: 'c', type, stored: { type: stored, length, isOptional: false }, length: 1, ...rest };
}

const bytesOf = (value: bigint, width: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt.asIntN(64, value), true);
  return new Uint8Array(view.buffer, 0, width);
};

/** Near the limits of each width, and between them. */
const near = (min: bigint, max: bigint) =>
  fc.oneof(
    fc.bigInt({ min, max }),
    fc
      .tuple(
        fc.constantFrom(0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n, min, max, -(2n ** 53n)),
        fc.integer({ min: -2, max: 2 }),
      )
      .map(([limit, step]) => limit + BigInt(step))
      .filter((value) => value >= min && value <= max),
  );

const integers = fc
  .tuple(fc.constantFrom(8, 16, 32, 64), fc.boolean())
  .chain(([bits, isSigned]): fc.Arbitrary<Source> => {
    const size = BigInt(bits);
    const [min, max] = isSigned ? [-(2n ** (size - 1n)), 2n ** (size - 1n) - 1n] : [0n, 2n ** size - 1n];
    const type = { kind: 'integer', bits: bits as 8 | 16 | 32 | 64, isSigned } as const;
    const stored = bits === 64 ? 'INT64' : 'INT32';
    return near(min, max).map((value) => ({
      column: column(type, stored, bytesOf(value, bits === 64 ? 8 : 4)),
      exact: { num: value, den: 1n },
      isDecimal: false,
    }));
  });

/** A double is an integer of 53 bits times a power of two. */
function exactOf(value: number): Exact {
  let [scaled, den] = [value, 1n];
  for (; !Number.isInteger(scaled); den *= 2n) scaled *= 2;
  return { num: BigInt(scaled), den };
}

const doubles = fc
  .oneof(
    fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e25, max: 1e25 })
      .filter((x) => Math.abs(x) > 1e-200 || x === 0),
    near(-(2n ** 65n), 2n ** 65n).map(Number),
  )
  .map((value): Source => {
    const bytes = new Uint8Array(Float64Array.of(value).buffer);
    return { column: column({ kind: 'float', bits: 64 }, 'DOUBLE', bytes), exact: exactOf(value), isDecimal: false };
  });

const decimals = fc
  .tuple(
    near(-(10n ** 37n), 10n ** 37n),
    fc.integer({ min: 0, max: 30 }),
    fc.nat(20),
    fc.constantFrom('INT32', 'INT64', 'FIXED_LEN_BYTE_ARRAY'),
  )
  .map(([digits, scale, zeros, stored]): Source => {
    const width = stored === 'INT32' ? 32 : stored === 'INT64' ? 64 : 128;
    const unscaled = BigInt.asIntN(width, width === 128 ? digits * 10n ** BigInt(Math.min(zeros, 1)) : digits);
    const little = bytesOf(unscaled, width === 32 ? 4 : 8);
    const big = Buffer.from(BigInt.asUintN(128, unscaled).toString(16).padStart(32, '0'), 'hex');
    return {
      column: column(
        { kind: 'decimal', scale },
        stored as 'INT32',
        width === 128 ? big : little,
        width === 128 ? 16 : undefined,
      ),
      exact: { num: unscaled, den: 10n ** BigInt(scale) },
      isDecimal: true,
    };
  });

const texts = fc
  .tuple(near(-(2n ** 65n), 2n ** 65n), fc.nat(25), fc.integer({ min: -25, max: 25 }), fc.constantFrom('', '+', ' '))
  .map(([digits, decimals, exponent, sign]): Source => {
    const magnitude = String(digits < 0n ? -digits : digits).padStart(decimals + 1, '0');
    const point = decimals === 0 ? magnitude : `${magnitude.slice(0, -decimals)}.${magnitude.slice(-decimals)}`;
    const text = `${digits < 0n ? '-' : sign}${point}${exponent === 0 ? '' : `e${exponent}`}`;
    const up = exponent > 0 ? 10n ** BigInt(exponent) : 1n;
    const down = exponent < 0 ? 10n ** BigInt(-exponent) : 1n;
    return {
      column: column({ kind: 'text' }, 'BYTE_ARRAY', Buffer.from(text)),
      exact: { num: digits * up, den: 10n ** BigInt(decimals) * down },
      isDecimal: true,
    };
  });

const source = fc.oneof(integers, doubles, decimals, texts);

/** The text that is written, or the state of a value that is refused. */
function written(type: ConcreteField['type'], { column }: Source): string | number {
  const field = { column: 'c', key: 'c', required: true, named: undefined, encoding: undefined } as const;
  const cells = fieldCells({ ...field, type, unit: undefined, zone: undefined, as: 'ns' }, column.type, 1);
  cells.read(column);
  if (cells.states[0] !== Cell.ok) return cells.states[0] ?? -1;
  const out = new DataView(new ArrayBuffer(64));
  return Buffer.from(out.buffer, 0, cells.write(out, 0, 0)).toString('latin1');
}

test.each([
  ['integer', -(2n ** 63n), 2n ** 63n - 1n, 'i'],
  ['unsigned', 0n, 2n ** 64n - 1n, 'u'],
] as const)('as %s it is the same integer, or refused for its fraction or size', (type, min, max, suffix) => {
  fc.assert(
    fc.property(source, (value) => {
      const { num, den } = value.exact;
      const integer = num / den;
      if (num % den === 0n) {
        expect(written(type, value)).toBe(integer >= min && integer <= max ? `${integer}${suffix}` : Cell.outOfRange);
      } else expect(written(type, value)).toBe(Cell.notInteger);
    }),
    runs(5000),
  );
});

test('as float it is the same number; a decimal is the nearest double, and an integer that no double is is refused', () => {
  fc.assert(
    fc.property(source, (value) => {
      const { num, den } = value.exact;
      const text = written('float', value);
      if (text === Cell.inexact) {
        expect([value.isDecimal, BigInt(Number(num)) === num]).toEqual([false, false]);
        return;
      }
      const back = exactOf(Number(text));
      if (!value.isDecimal) expect(back.num * den).toBe(num * back.den);
      else {
        // No other double is nearer: the error is at most half of the distance to the next.
        const bits = new BigInt64Array(Float64Array.of(Math.abs(Number(text))).buffer);
        const next = exactOf(new Float64Array(BigInt64Array.of((bits[0] ?? 0n) + 1n).buffer)[0] ?? 0);
        const size = (x: bigint): bigint => (x < 0n ? -x : x);
        const error = size(num * back.den - back.num * den);
        const step = size(next.num * back.den - size(back.num) * next.den);
        expect(2n * error * next.den <= step * den).toBe(true);
      }
    }),
    runs(3000),
  );
});

test('text and bytes of any kind are string fields that read back as they were', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('"', '\\', 'é', 'a') })),
      (text) => {
        const value = {
          column: column({ kind: 'text' }, 'BYTE_ARRAY', Buffer.from(text)),
          exact: { num: 0n, den: 1n },
          isDecimal: false,
        };
        const field = {
          column: 'c',
          key: 'c',
          required: true,
          named: undefined,
          unit: undefined,
          zone: undefined,
        } as const;
        const cells = fieldCells({ ...field, type: 'string', encoding: undefined, as: 'ns' }, value.column.type, 1);
        cells.read(value.column);
        const sizes = new Float64Array(1);
        cells.addSizes?.(sizes, 1);
        const out = new DataView(new ArrayBuffer(cells.longest + (sizes[0] ?? 0) + 3));
        const end = cells.write(out, 0, 0);
        expect(end).toBeLessThanOrEqual(cells.longest + (sizes[0] ?? 0));
        const read = Buffer.from(out.buffer, 1, end - 2)
          .toString()
          .replace(/\\(["\\])/g, '$1');
        expect(read).toBe(Buffer.from(text).toString());
      },
    ),
    runs(1000),
  );
});
