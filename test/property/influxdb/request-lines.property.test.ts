/** The lines of a request in batches for InfluxDB: each valid line once, as it is, in order; invalid lines are reported once. */
import fc from 'fast-check';
import { batchLines, type RequestBatch, writtenPrecision } from 'shared/influxdb/request-lines';
import { decodePoints } from 'shared/line-protocol/point';
import { type Precision, V1_PRECISIONS } from 'shared/line-protocol/precision';
import { type LinePlace, type LineReason, LineReport } from 'shared/line-report';
import { corpusBytes, missingCorpus, readCorpus } from '../../support/corpus';
import { runs } from '../../support/fuzz';

const REQUEST_TIME = 1_709_294_401_234;
/** The time of the request in each precision: 2024-03-01T12:00:01.234Z, truncated by hand. */
const TRUNCATED: Readonly<Record<string, string>> = {
  ns: '1709294401234000000',
  n: '1709294401234000000',
  us: '1709294401234000',
  u: '1709294401234000',
  ms: '1709294401234',
  s: '1709294401',
  // InfluxDB has neither minutes nor hours: in seconds, at the start of the minute and of the hour.
  m: '1709294400',
  h: '1709294400',
};
const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { m: 60, h: 3_600 };

/** A part of a body: its text, without indentation and line break; the expected line; or the reason to report it. */
interface Part {
  readonly text: string;
  /** The text up to the timestamp, and the timestamp; undefined for a part that is no point. */
  readonly point?: { readonly head: string; readonly time: number | undefined };
  readonly isInvalid?: boolean;
}

const measurement = fc.constantFrom('m', 'two\\ words', 'a\\,b', 'ünï', '日本', 'm"q', 'back\\\\slash', 'a=b');
const key = fc.constantFrom('k', 'key\\ 2', 'k\\=v', 'k\\,', 'é', '"k"');
const tagValue = fc.constantFrom('v', 'a\\ b', 'x\\=y', 'π', '"quoted"', 'line\\\nbreak', 'c:\\\\dir');
const fieldValue = fc.constantFrom(
  ...['1', '-2.5', '1e9', '0009i', '1.', '7i', '18446744073709551615u', 't', 'FALSE', '""', '"text"'],
  ...['"two\nlines"', '"a\r\nb"', '"# no comment"', '"q\\"q"', '"back\\\\"', '"a=b,c d"', '"😀"', '"tab\there"'],
);
const goodPart: fc.Arbitrary<Part> = fc
  .record({
    measurement,
    tags: fc.array(fc.tuple(key, tagValue), { maxLength: 3 }),
    fields: fc.array(fc.tuple(key, fieldValue), { minLength: 1, maxLength: 3 }),
    time: fc.option(fc.integer({ min: -2_000_000, max: 2_000_000 }), { nil: undefined }),
    gap: fc.constantFrom(' ', '  '),
    trailing: fc.constantFrom('', ' ', '   '),
  })
  .map(({ measurement: name, tags, fields, time, gap, trailing }) => {
    const pair = ([left, right]: readonly [string, string]): string => `${left}=${right}`;
    const head = `${[name, ...tags.map(pair)].join(',')}${gap}${fields.map(pair).join(',')}`;
    return { text: `${head}${time === undefined ? '' : `${gap}${time}`}${trailing}`, point: { head, time } };
  });
const invalidPart: fc.Arbitrary<Part> = fc
  .constantFrom('broken', 'm v=', 'm,=x v=1', 'm v=1 2x', 'm v=1i 5 6', 'm v=1e', 'm v="a"b 1', ',k=v v=1', 'm\tv=1')
  .map((text) => ({ text, isInvalid: true }));
const otherPart: fc.Arbitrary<Part> = fc
  .constantFrom('', '   ', '# comment', '# "quote', '#m v=1')
  .map((text) => ({ text }));
const part = fc.oneof(
  { weight: 5, arbitrary: goodPart },
  { weight: 1, arbitrary: invalidPart },
  { weight: 1, arbitrary: otherPart },
);

interface Placed extends Part {
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

const body = fc
  .record({
    parts: fc.array(fc.record({ part, indent: fc.constantFrom('', ' ', '    '), end: fc.constantFrom('\n', '\r\n') }), {
      maxLength: 12,
    }),
    lastEnd: fc.boolean(),
  })
  .map(({ parts, lastEnd }) => {
    let text = '';
    let line = 1;
    const placed: Placed[] = [];
    for (const [index, each] of parts.entries()) {
      const end = index === parts.length - 1 && !lastEnd ? '' : each.end;
      const start = Buffer.byteLength(text + each.indent);
      text += `${each.indent}${each.part.text}${end}`;
      placed.push({ ...each.part, line, start, end: Buffer.byteLength(text) });
      line += `${each.part.text}${end}`.split('\n').length - 1;
    }
    return { bytes: Buffer.from(text), placed };
  });

const limits = fc.record({ batchLines: fc.integer({ min: 1, max: 6 }), batchBytes: fc.integer({ min: 1, max: 200 }) });
const precision = fc.constantFrom(...V1_PRECISIONS.entries());

interface Batched {
  readonly bytes: Buffer;
  readonly place: LinePlace;
}

const linesOf = (batches: readonly RequestBatch[]): Batched[] =>
  batches.flatMap(({ bytes, ends, places }) =>
    ends.map((end, index) => ({ bytes: Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)), place: places[index] })),
  );

/** The bytes that InfluxDB gets for a line. InfluxDB 2 refuses CRLF. */
function expectedBytes({ text, point, start, end }: Placed, source: Buffer, name: string): string {
  const seconds = SECONDS_PER_UNIT[name];
  if (point?.time === undefined) return `${point?.head} ${TRUNCATED[name]}\n`;
  if (seconds !== undefined) return `${point.head} ${point.time * seconds}\n`;
  const given = source.subarray(start, end).toString();
  return given.endsWith('\r\n') ? `${text.trimEnd()}\n` : given;
}

function batched(bytes: Buffer, unit: Precision, options: Partial<Parameters<typeof batchLines>[1]> = {}) {
  const found: LineReason[] = [];
  const report = new LineReport({ onLine: (line) => found.push(line) });
  const defaults = { batchLines: 1_000, batchBytes: 1_000_000, maxLineBytes: 65_536, requestTime: REQUEST_TIME };
  return { batches: batchLines(bytes, { ...defaults, precision: unit, ...options }, report), found, report };
}

test('every valid line is in one batch, as it is, with its place; no other text is; invalid lines are reported once', () => {
  fc.assert(
    fc.property(body, precision, limits, ({ bytes, placed }, [name, unit], sizes) => {
      const { batches, found } = batched(bytes, unit, sizes);
      const good = placed.filter(({ point }) => point !== undefined);
      const lines = linesOf(batches);
      expect(lines.map((line) => line.bytes.toString())).toEqual(good.map((each) => expectedBytes(each, bytes, name)));
      expect(lines.map(({ place }) => place)).toEqual(good.map(({ line, start, end }) => ({ line, start, end })));
      const invalid = placed.filter(({ isInvalid }) => isInvalid);
      expect(found.map(({ line, start, kind }) => ({ line, start, kind }))).toEqual(
        invalid.map(({ line, start }) => ({ line, start, kind: 'faulty' })),
      );
    }),
    runs(1_000),
  );
});

test('no batch exceeds the limits, except one of a single line', () => {
  fc.assert(
    fc.property(body, precision, limits, ({ bytes }, [, unit], sizes) => {
      for (const { bytes: sent, ends, places } of batched(bytes, unit, sizes).batches) {
        expect(places.length).toBeGreaterThan(0);
        expect(places.length).toBeLessThanOrEqual(sizes.batchLines);
        if (places.length > 1) expect(sent.length).toBeLessThanOrEqual(sizes.batchBytes);
        expect(ends.at(-1)).toBe(sent.length);
      }
    }),
    runs(500),
  );
});

test('lines that are left out are in no batch, and are not reported', () => {
  fc.assert(
    fc.property(body, fc.func(fc.boolean()), ({ bytes, placed }, isLeftOut) => {
      const left = new Set(placed.filter(({ line }) => isLeftOut(line)).map(({ start }) => start));
      const { batches, found } = batched(bytes, V1_PRECISIONS.get('ns') as Precision, {
        leftOut: left,
        maxLineBytes: 20,
      });
      for (const { place } of linesOf(batches)) expect(left.has(place.start)).toBe(false);
      expect(found.filter(({ start, kind }) => kind === 'rejected' && left.has(start))).toEqual([]);
      const expected = placed.filter(({ point, start }) => point !== undefined && !left.has(start));
      const counted = linesOf(batches).length + found.filter(({ kind }) => kind === 'rejected').length;
      expect(counted).toBe(expected.length);
    }),
    runs(500),
  );
});

test('a line above the limit is rejected with its size, and the lines around it are sent', () => {
  const long = `m v="${'x'.repeat(93)}"`;
  const { batches, found } = batched(Buffer.from(`a v=1 1\n${long}\r\nb v=2 2`), V1_PRECISIONS.get('ns') as Precision, {
    maxLineBytes: 98,
  });
  expect(linesOf(batches).map(({ bytes }) => bytes.toString())).toEqual(['a v=1 1\n', 'b v=2 2']);
  expect(found).toEqual([
    { line: 2, start: 8, end: 109, kind: 'rejected', reason: 'line 2: line of 99 bytes: at most 98 are allowed' },
  ]);
});

test('any bytes: the batches decode to the points of the body, without its invalid lines', () => {
  const hostile = fc
    .array(
      fc.oneof(fc.constantFrom(...'m,= "\\\n\r\t#-01ie\u0000'), fc.constantFrom('m v=1', 'm,t=a v="', ' 5\n', '\xff')),
      {
        maxLength: 40,
      },
    )
    .map((texts) => Buffer.from(texts.join(''), 'latin1'));
  fc.assert(
    fc.property(fc.oneof(hostile, fc.uint8Array({ maxLength: 60 }).map(Buffer.from)), limits, (bytes, sizes) => {
      sameAsDecoded(bytes, sizes);
    }),
    runs(2_000),
  );
});

/** Compares with the decoder's points, whose missing timestamps are the time of the request. Only InfluxDB checks for tags with equal keys. */
function sameAsDecoded(bytes: Buffer, sizes: { batchLines: number; batchBytes: number }): void {
  const time = BigInt(REQUEST_TIME) * 1_000_000n;
  const unit = V1_PRECISIONS.get('ns') as Precision;
  const { batches, report } = batched(bytes, unit, sizes);
  const expected = decodePoints(bytes, time);
  const sent = decodePoints(Buffer.concat(batches.map((batch) => batch.bytes)), 0n);
  expect(sent.points).toEqual(expected.points);
  const duplicates = sent.errors.map(({ reason }) => reason);
  for (const reason of duplicates) expect(reason).toContain('duplicate tag key');
  const lines = batches.reduce((sum, { places }) => sum + places.length, 0);
  expect(lines).toBe(expected.points.length + duplicates.length);
  expect(report.faultyLines).toBe(expected.errors.length - duplicates.length);
}

test('the written precision is a unit of InfluxDB, and minutes and hours become seconds', () => {
  expect(Object.fromEntries([...V1_PRECISIONS].map(([name, unit]) => [name, writtenPrecision(unit)]))).toEqual({
    ns: 'ns',
    n: 'ns',
    us: 'us',
    u: 'us',
    ms: 'ms',
    s: 's',
    m: 's',
    h: 's',
  });
});

if (missingCorpus === undefined) {
  test("every input of InfluxData's corpus is sent as its points", () => {
    for (const { input } of Object.values(readCorpus().decode)) {
      sameAsDecoded(corpusBytes(input.text), { batchLines: 2, batchBytes: 64 });
    }
  });
} else test.skip(`every input of InfluxData's corpus is sent as its points (${missingCorpus})`, () => undefined);
