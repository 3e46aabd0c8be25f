/** What must hold for every value: text that reads back as it was, plans that lose nothing, batches within their limits. */
import fc from 'fast-check';
import type { RowGroupInfo } from 'shared/parquet/metadata';
import { planRuns, planWhole } from 'shared/parquet/plan';
import { BatchBuffer, type Chunk } from 'shared/points/batch-buffer';
import { FloatWriter, LONGEST_NUMBER, TimestampWriter } from 'shared/points/digits';
import { escapeKey, quote } from 'shared/points/escape';
import { shortest } from 'shared/points/float-formats';
import { parseIsoTime } from 'shared/points/iso-8601';
import { copyText, readyText, SPOILT } from 'shared/points/ready-text';
import { TimeReader } from 'shared/points/times';
import { ZoneOffsets } from 'shared/points/zone';
import { chunkOf } from '../support/parquet';

const out = new DataView(new ArrayBuffer(64));
const written = (end: number) => Buffer.from(out.buffer, 0, end).toString('latin1');

const measured = fc
  .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 9 }))
  .map(([digits, decimals]) => digits / 10 ** decimals);
const double = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), measured);

test('writes a double as String does, except for -0', () => {
  const writer = new FloatWriter();
  fc.assert(
    fc.property(double, (x) => {
      const end = writer.write(out, 0, x);
      expect(end).toBeLessThanOrEqual(LONGEST_NUMBER - 3);
      expect(written(end)).toBe(Object.is(x, -0) ? '-0' : String(x));
    }),
    { numRuns: 2000 },
  );
});

test('writes doubles that come again, with few decimals and many in turn, as String does', () => {
  const writer = new FloatWriter();
  fc.assert(
    fc.property(fc.array(double, { minLength: 1, maxLength: 5 }), (values) => {
      for (const x of [...values, ...values.toReversed(), ...values.map((value) => -value)])
        expect(written(writer.write(out, 0, x))).toBe(Object.is(x, -0) ? '-0' : String(x));
    }),
    { numRuns: 500 },
  );
});

test.each([1000, 1e6, 1e7])('writes counts of 1/%i to the limit of their fast path', (parts) => {
  const writer = new FloatWriter();
  const limit = 2 ** 31;
  const counts = [0, 1, 9, 10, 99, 100, 999, 1000, 1001, 1e5, 999_999, 1e6, 1e6 + 1, limit - 1, limit, limit + 1];
  for (const count of counts) expect(written(writer.write(out, 0, count / parts))).toBe(String(count / parts));
});

test('writes a float32 as the shortest decimal that denotes it', () => {
  const writer = new FloatWriter(32);
  fc.assert(
    fc.property(fc.oneof(fc.float({ noNaN: true, noDefaultInfinity: true }), measured.map(Math.fround)), (x) => {
      const text = written(writer.write(out, 0, x));
      expect(Math.fround(Number(text))).toBe(x);
      const digits = (
        text
          .replace(/e.*/, '')
          .replace(/[-.]/g, '')
          .replace(/^0+|0+$/g, '') || '0'
      ).length;
      if (digits > 1) expect(Math.fround(Number(x.toPrecision(digits - 1)))).not.toBe(x);
    }),
    { numRuns: 2000 },
  );
});

/** IEEE 754 binary16 by its bits. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
}

test('writes every float16 as the shortest decimal between the middles to its neighbours', () => {
  const writer = new FloatWriter(16);
  for (let bits = 1; bits < 0x7c00; bits++) {
    const x = half(bits);
    const above = bits + 1 === 0x7c00 ? 65536 : half(bits + 1);
    const isNearest = (y: number) => y > (x + half(bits - 1)) / 2 && y < (x + above) / 2;
    const isTie = (y: number) => bits % 2 === 0 && (y === (x + half(bits - 1)) / 2 || y === (x + above) / 2);
    const text = written(writer.write(out, 0, x));
    const digits = text
      .replace(/e.*/, '')
      .replace('.', '')
      .replace(/^0+|0+$/g, '').length;
    if (!isNearest(Number(text)) && !isTie(Number(text))) throw new Error(`${text} is not ${x}`);
    if (Number.isInteger(x)) expect(text).toBe(String(x));
    else if (digits > 1 && isNearest(Number(x.toPrecision(digits - 1)))) throw new Error(`${text} is not the shortest`);
    if (shortest(x, 16) !== text) throw new Error(`${text} is another text of a cell`);
  }
  expect(written(writer.write(out, 0, 0.0999755859375))).toBe('0.1');
  expect(written(writer.write(out, 0, -65504))).toBe('-65504');
});

test('writes a timestamp as an integer, also when it repeats', () => {
  const writer = new TimestampWriter();
  fc.assert(
    fc.property(fc.integer({ min: -9223372036, max: 9223372036 }), fc.integer({ min: 0, max: 999_999_999 }), (s, n) => {
      const text = String(BigInt(s) * 1_000_000_000n + BigInt(n));
      for (let time = 0; time < 2; time++) {
        const end = writer.write(out, time, { seconds: Float64Array.of(s), nanos: Int32Array.of(n) }, 0);
        expect(end).toBeLessThanOrEqual(time + LONGEST_NUMBER - 3);
        expect(written(end).slice(time)).toBe(text);
      }
    }),
  );
});

test('copies any text unchanged, and overwrites at most the documented bytes after it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    // What makes doubles of the largest exponents, among them those of NaN.
    fc.string({ unit: fc.constantFrom('\x7f', '\u{10ffff}', '\u{f0000}', '\uffff', '\x00'), maxLength: 40 }),
  );
  fc.assert(
    fc.property(text, fc.nat(7), (text, at) => {
      const bytes = Buffer.from(text);
      const buffer = new Uint8Array(200).fill(1);
      const end = copyText(new DataView(buffer.buffer), at, readyText(text));
      expect(end).toBe(at + bytes.length);
      expect(Buffer.from(buffer.subarray(at, end))).toEqual(bytes);
      expect(buffer.subarray(end + SPOILT).every((byte) => byte === 1)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('splits 64-bit times into seconds and nanoseconds exactly', () => {
  const out = { seconds: new Float64Array(1), nanos: new Int32Array(1), states: new Uint8Array(1) };
  const unit = fc.constantFrom(['s', 1n], ['ms', 1000n], ['us', 1_000_000n], ['ns', 1_000_000_000n]) as fc.Arbitrary<
    ['s' | 'ms' | 'us' | 'ns', bigint]
  >;
  const seconds = fc.bigInt({ min: -9223372036n, max: 9223372035n });
  // Near a whole second a quotient in doubles may be one too large or too small.
  const part = fc.oneof(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.constantFrom(0, 1e-9, 1 - 1e-9),
  );
  fc.assert(
    fc.property(unit, seconds, part, ([name, perSecond], whole, fraction) => {
      const rest = BigInt(Math.round(fraction * Number(perSecond))) % perSecond;
      const memory = BigInt64Array.of(whole * perSecond + rest).buffer;
      const type = { kind: 'integer', bits: 64, isSigned: true } as const;
      const stored = { type: 'INT64', length: undefined, isOptional: true } as const;
      const column = { name: 't', type, stored, length: 1, offset: 0, validity: undefined, memory, buffer: () => 0 };
      new TimeReader({ unit: name }).read(column, out);
      expect([out.seconds[0], out.nanos[0], out.states[0]]).toEqual([
        Number(whole),
        Number(rest * (1_000_000_000n / perSecond)),
        0,
      ]);
    }),
    { numRuns: 1000 },
  );
});

test('reads INT96 of any day exactly, in range or not', () => {
  const out = { seconds: new Float64Array(1), nanos: new Int32Array(1), states: new Uint8Array(1) };
  const julian = fc.oneof(
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.integer({ min: 2_330_000, max: 2_550_000 }),
  );
  const nanosOfDay = fc.bigInt({ min: 0n, max: 86_399_999_999_999n });
  fc.assert(
    fc.property(julian, nanosOfDay, (day, nanos) => {
      const memory = new ArrayBuffer(12);
      new DataView(memory).setBigInt64(0, nanos, true);
      new DataView(memory).setInt32(8, day, true);
      const stored = { type: 'INT96', length: undefined, isOptional: false } as const;
      const column = { name: 't', type: { kind: 'int96' } as const, stored, length: 1, offset: 0, validity: undefined };
      new TimeReader({ zone: 'Asia/Tokyo' }).read({ ...column, memory, buffer: () => 0 }, out);
      const exact = (BigInt(day) - 2_440_588n) * 86_400_000_000_000n + nanos;
      expect(BigInt(out.seconds[0] ?? 0) * 1_000_000_000n + BigInt(out.nanos[0] ?? 0)).toBe(exact);
      // The times of InfluxDB: 64 bits of nanoseconds but for three at their ends.
      const isStored = exact >= -(2n ** 63n) + 2n && exact <= 2n ** 63n - 2n;
      expect(out.states[0]).toBe(isStored ? 0 : 5);
    }),
    { numRuns: 1000 },
  );
});

test('escapes text so that a reader of line protocol gets it back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(
        quote(text)
          .slice(1, -1)
          .replace(/\\(["\\])/g, '$1'),
      ).toBe(text);
    }),
  );
  const tag = fc.string({ unit: fc.constantFrom('a', 'é', ',', '=', ' ', '"', '😀') });
  fc.assert(
    fc.property(tag, (text) => {
      const escaped = escapeKey(text);
      expect(escaped.replace(/\\([,= ])/g, '$1')).toBe(text);
      expect(escaped).not.toMatch(/(^|[^\\])[,= ]/);
    }),
  );
});

test('reads ISO 8601 as Date does', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1700-01-01'), max: new Date('2262-01-01'), noInvalidDate: true }), (date) => {
      const time = parseIsoTime(date.toISOString());
      expect((time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6).toBe(date.getTime());
    }),
  );
});

test('turns wall-clock times of a zone into instants whose wall-clock time is the same', () => {
  const offsets = new ZoneOffsets('America/Sao_Paulo');
  const clock = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'America/Sao_Paulo',
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  fc.assert(
    fc.property(fc.integer({ min: 946684800, max: 1735689600 }), (instant) => {
      const wall = Date.parse(`${clock.format(instant * 1000).replace(' ', 'T')}Z`) / 1000;
      const back = wall - offsets.at(wall);
      // The hour that clocks show twice is read as its first occurrence.
      expect([instant, instant - 3600]).toContain(back);
      expect(clock.format(back * 1000)).toBe(clock.format(instant * 1000));
    }),
  );
});

test('plans runs that cover every row group once, in order, and are about equal', () => {
  const filled = fc.record({ rows: fc.integer({ min: 0, max: 1000 }), bytes: fc.integer({ min: 0, max: 1000 }) });
  const empty = fc.constant({ rows: 0, bytes: 0 });
  const group = fc.oneof({ weight: 3, arbitrary: filled }, { weight: 1, arbitrary: empty }).map(
    ({ rows, bytes }): RowGroupInfo => ({
      rows,
      chunks: new Map([
        ['a', chunkOf(bytes)],
        ['b', chunkOf(7)],
      ]),
    }),
  );
  fc.assert(
    fc.property(fc.array(group, { maxLength: 40 }), fc.integer({ min: 1, max: 3000 }), (rowGroups, bytes) => {
      const rows = rowGroups.reduce((sum, { rows }) => sum + rows, 0);
      const runs = planRuns({ rows, rowGroups }, ['a'], { bytes, rows: 2000 });
      const covered = runs.flatMap((run) => Array.from({ length: run.rowGroups }, (_, i) => run.firstRowGroup + i));
      const withRows = rowGroups.flatMap(({ rows }, index) => (rows > 0 ? [index] : []));
      expect(covered).toEqual([...new Set(covered)].sort((a, b) => a - b));
      expect(covered).toEqual(expect.arrayContaining(withRows));
      expect(runs.reduce((sum, run) => sum + run.rows, 0)).toBe(rows);
      const whole = planWhole({ rows, rowGroups }, ['a']);
      expect(whole.map((run) => [run.firstRowGroup, run.rowGroups, run.firstRow, run.rows])).toEqual(
        rows === 0 ? [] : [[0, rowGroups.length, 0, rows]],
      );
      if (rows > 0) expect(planRuns({ rows, rowGroups }, ['a'], { bytes: 1e9, rows: 1e9 })).toHaveLength(1);
      for (const run of runs) {
        const before = rowGroups.slice(0, run.firstRowGroup).reduce((sum, { rows }) => sum + rows, 0);
        expect(run.firstRow).toBe(before);
        // No run is larger than a share by more than the row groups at its ends.
        const largest = Math.max(...rowGroups.map(({ chunks }) => chunks.get('a')?.compressed ?? 0));
        expect(run.bytes).toBeLessThanOrEqual(bytes + 2 * largest);
      }
    }),
  );
});

test('cuts batches within their limits, and loses no byte between buffers', () => {
  const line = fc.integer({ min: 1, max: 400_000 });
  const limits = fc.record({ lines: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 1, max: 1_000_000 }) });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), limits, (lengths, limit) => {
      const chunks: Chunk[] = [];
      const spares: ArrayBuffer[] = [];
      const emit = (chunk: Chunk): void => {
        chunks.push({ ...chunk, buffer: chunk.buffer.slice(0) });
        new Uint8Array(chunk.buffer).fill(255);
        spares.push(chunk.buffer);
      };
      const buffer = new BatchBuffer(limit, emit, () => spares.pop());
      for (const [index, length] of lengths.entries()) {
        buffer.room(length);
        buffer.bytes.fill(index + 1, buffer.position, buffer.position + length);
        buffer.endLine(buffer.position + length);
      }
      buffer.flush();
      const seen: number[] = [];
      for (const { buffer: bytes, batches } of chunks) {
        let start = 0;
        for (const { end, lines } of batches) {
          expect(lines).toBeLessThanOrEqual(limit.lines);
          if (lines > 1) expect(end - start).toBeLessThanOrEqual(limit.bytes);
          const batch = new Uint8Array(bytes, start, end - start);
          let at = 0;
          for (let read = 0; read < lines; read++) {
            const length = lengths[seen.length] ?? 0;
            expect(Buffer.alloc(length, seen.length + 1).equals(batch.subarray(at, at + length))).toBe(true);
            seen.push(length);
            at += length;
          }
          expect(at).toBe(batch.length);
          start = end;
        }
      }
      expect(seen).toEqual(lengths);
    }),
    { numRuns: 50 },
  );
});
