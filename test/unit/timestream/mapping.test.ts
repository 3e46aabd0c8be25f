/** How lines of line protocol map to records of Timestream. */
import { V1_PRECISIONS } from 'shared/line-protocol/precision';
import type { MappingOptions } from 'shared/timestream/records';
import { mapText, packText, REQUEST_TIME, reasonsOf } from '../../support/connector-mapping';
import { cpuMilliseconds } from '../../support/cpu-time';
import { type PlainRecord, readCall } from '../../support/timestream-calls';

/** The records of lines that must all be valid. */
function recordsOf(text: string | Uint8Array, options: Partial<MappingOptions> = {}): PlainRecord[] {
  const packed = packText(text, options);
  expect(reasonsOf(packed)).toEqual([]);
  return packed.calls.flatMap(({ records }) => records);
}

/** The reason of the only line that is refused. */
function reasonOf(text: string | Uint8Array, options: Partial<MappingOptions> = {}): string {
  const reasons = reasonsOf(mapText(text, options));
  expect(reasons).toHaveLength(1);
  return reasons[0] ?? '';
}

const measuresOf = (fields: string): PlainRecord['measures'] | undefined => recordsOf(`m,t=1 ${fields} 1`)[0]?.measures;

/** Values as in the request body, by measure. */
function textsOf(fields: string): Record<string, string> {
  const [body] = packText(`m,t=1 ${fields} 1`).bodies;
  const [record] = readCall(body ?? Buffer.from('')).Records;
  return Object.fromEntries((record?.MeasureValues ?? []).map(({ Name, Value }) => [Name, Value]));
}

describe('tables and names', () => {
  const LINE = 'cpu,host=a,region=eu usage=0.5,n=1i 1709294400000000001';

  test('maps each measurement to a table by default', () => {
    expect(recordsOf(LINE)).toEqual([
      {
        table: 'cpu',
        measureName: 'influxdb-measure',
        dimensions: ['host=a', 'region=eu'],
        time: 1709294400000000001n,
        measures: { usage: 'DOUBLE 0.5', n: 'BIGINT 1' },
      },
    ]);
  });

  test('uses the measurement as measure name with a single table', () => {
    const lines = `${LINE}\nmem,host=a used=1i 5\nany\\ thing\\,é,host=a x=1 5`;
    const named = recordsOf(lines, { singleTable: 'all' }).map(({ table, measureName }) => [table, measureName]);
    expect(named.sort()).toEqual([
      ['all', 'any thing,é'],
      ['all', 'cpu'],
      ['all', 'mem'],
    ]);
  });

  test('uses the configured measure name', () => {
    expect(recordsOf(LINE, { measureName: 'a "name"' })[0]?.measureName).toBe('a "name"');
  });

  test.each(['a', 'A.b-c_d9', 'x'.repeat(256)])('accepts %s as a table name', (name) => {
    expect(recordsOf(`${name},t=1 v=1 1`)[0]?.table).toBe(name);
  });

  test.each(['a\\ b', 'é', 'a/b', 'a:b', 'x'.repeat(257)])('rejects %s as a table name', (name) => {
    expect(reasonOf(`${name},t=1 v=1 1`)).toMatch(/^line 1: .*table name/);
  });

  test('accepts measure names of up to 256 bytes with a single table', () => {
    // 128 characters of two bytes each.
    expect(recordsOf(`${'é'.repeat(128)},t=1 v=1 1`, { singleTable: 'all' })).toHaveLength(1);
    expect(reasonOf(`${'é'.repeat(128)}x,t=1 v=1 1`, { singleTable: 'all' })).toContain('256 bytes');
  });
});

test.each(['time', 'ts_x', 'measure_name'])('rejects the measurement %s with a single table', (name) => {
  expect(reasonOf(`${name},t=1 v=1 1`, { singleTable: 'all' })).toContain(`measure name '${name}'`);
  expect(recordsOf(`${name},t=1 v=1 1`)[0]?.table).toBe(name);
});

describe('dimensions', () => {
  test('rejects points without tags and names the parameter that helps', () => {
    expect(reasonOf('m v=1 1')).toBe(
      'line 1: the point has no tags, but Timestream needs a dimension: add a tag, or set DefaultDimension (--default-dimension)',
    );
  });

  test('adds the default dimension only to points without tags', () => {
    const defaultDimension = { name: 'source', value: 'a "b"' };
    const records = recordsOf('m v=1 1\nm,t=1 v=2 1', { defaultDimension });
    expect(records.map(({ dimensions }) => dimensions)).toEqual(expect.arrayContaining([['source=a "b"'], ['t=1']]));
  });

  test('maps a tag that equals the default dimension to the same series', () => {
    const defaultDimension = { name: 'the source', value: 'a=b' };
    for (const text of ['m v=1 1\nm,the\\ source=a\\=b w=2 1', 'm,the\\ source=a\\=b w=2 1\nm v=1 1']) {
      expect(recordsOf(text, { defaultDimension })).toMatchObject([
        { dimensions: ['the source=a=b'], measures: { v: 'DOUBLE 1', w: 'DOUBLE 2' } },
      ]);
    }
  });

  test('renames a field that has the name of the default dimension', () => {
    expect(recordsOf('m source=1 1', { defaultDimension: { name: 'source', value: 'x' } })[0]?.measures).toEqual({
      source_field: 'DOUBLE 1',
    });
  });

  test('rejects lines without the dimension of an enforced partition key, and names it', () => {
    const options = { requiredDimension: 'host' };
    expect(recordsOf('m,host=a v=1 1', options)).toHaveLength(1);
    expect(reasonOf('m,host=a v=1 1\nm,other=a v=1 1', options)).toMatch(
      /^line 2: the tag 'host' is missing: EnforceCustomPartitionKey /,
    );
    // The default dimension can be the key.
    expect(recordsOf('m v=1 1', { ...options, defaultDimension: { name: 'host', value: 'none' } })).toHaveLength(1);
  });

  test.each(['measure_value', 'measure_name', 'time', 'ts_non_existent_col', 'ts_', 'ts_x', 'measure_names', 'a:b'])(
    'rejects a tag named %s',
    (name) => {
      expect(reasonOf(`m,${name}=1 v=1 1`)).toContain(`tag '${name}'`);
    },
  );

  test.each(['Time', 'timestamp', 'ts', 'measure', 'x_time', '_measurement'])('accepts a tag named %s', (name) => {
    expect(recordsOf(`m,${name}=1 v=1 1`)[0]?.dimensions).toEqual([`${name}=1`]);
  });

  test('accepts names of up to 60 bytes', () => {
    expect(recordsOf(`m,${'é'.repeat(30)}=1 v=1 1`)).toHaveLength(1);
    expect(reasonOf(`m,${'é'.repeat(30)}x=1 v=1 1`)).toContain('longer than 60 bytes');
  });

  test('accepts up to 128 in a record', () => {
    const tags = (count: number) => Array.from({ length: count }, (_, n) => `,t${n}=1`).join('');
    expect(recordsOf(`m${tags(128)} v=1 1`)[0]?.dimensions).toHaveLength(128);
    expect(reasonOf(`m${tags(129)} v=1 1`)).toMatch(/^line 1: more than 128 tags: /);
  });

  test('accepts names and values of up to 2,048 bytes together', () => {
    // At 2,048 bytes of dimensions the record has no room for a field, so the limit of the record reports the error.
    expect(reasonOf(`m,t=${'x'.repeat(2_047)} v=1 1`)).toBe('line 1: record of 2064 bytes: at most 2048 are allowed');
    expect(reasonOf(`m,t=${'x'.repeat(2_048)} v=1 1`)).toMatch(/^line 1: tags of 2049 bytes: /);
  });
});

describe('fields', () => {
  test('maps every field type', () => {
    expect(measuresOf('f=1.5,i=-2i,u=3u,b=T,c=false,s="x"')).toEqual({
      f: 'DOUBLE 1.5',
      i: 'BIGINT -2',
      u: 'BIGINT 3',
      b: 'BOOLEAN true',
      c: 'BOOLEAN false',
      s: 'VARCHAR x',
    });
  });

  test.each([
    ['1.', '1'],
    ['.0', '0'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['05', '5'],
    ['00.25', '0.25'],
    ['0009i', '9'],
    ['-0009i', '-9'],
    ['-0i', '0'],
    ['007u', '7'],
    ['0', '0'],
    ['-12.50', '-12.50'],
    ['9223372036854775807i', '9223372036854775807'],
    ['-9223372036854775808i', '-9223372036854775808'],
    ['9223372036854775807u', '9223372036854775807'],
  ])('writes the number %s as %s', (number, text) => {
    expect(textsOf(`f=${number}`)).toEqual({ f: text });
  });

  test.each(['1e5', '1E-7', '-2.5e+3', '1e308', '5e-324', '0.1e1'])('keeps the value of the number %s', (number) => {
    expect(Number(textsOf(`f=${number}`).f)).toBe(Number(number));
  });

  test.each([`0.${'3'.repeat(3_000)}`, `1${'0'.repeat(250)}.${'5'.repeat(2_000)}`])(
    'shortens a number with thousands of digits for Timestream and keeps its value (%#)',
    (number) => {
      const text = textsOf(`f=${number}`).f ?? '';
      expect(text.length).toBeLessThanOrEqual(2_048);
      expect(Number(text)).toBe(Number(number));
    },
  );

  test('rejects unsigned values above int64', () => {
    expect(reasonOf('m,t=1 u=9223372036854775808u 1')).toMatch(/^line 1: field 'u': .*above 9223372036854775807$/);
  });

  test('omits and counts empty strings', () => {
    const { records, report } = mapText('m,t=1 a="",b=1,c="" 1\nm,t=1 a="x" 2');
    expect(records.emptyStrings).toBe(2);
    expect(report.reasons()).toEqual([]);
    expect(measuresOf('a="",b=1,c=""')).toEqual({ b: 'DOUBLE 1' });
  });

  test('rejects a point with only empty strings', () => {
    expect(reasonOf('m,t=1 a="",b="" 1')).toBe(
      'line 1: the point has only empty strings, which Timestream cannot store',
    );
  });

  test('keeps text unchanged in JSON: escapes, control characters, UTF-8', () => {
    const text =
      'quote " backslash \\ slash / tab \t newline \n CR \r nul \u0000 bell \u0007 unit \u001f del \u007f é 漢 \u{1f600}  ';
    const escaped = text.replace(/["\\]/g, '\\$&');
    expect(measuresOf(`s="${escaped}"`)).toEqual({ s: `VARCHAR ${text}` });
  });

  test('keeps backslashes that are not escapes', () => {
    expect(measuresOf(String.raw`s="a\n\t\, \= b"`)).toEqual({ s: String.raw`VARCHAR a\n\t\, \= b` });
  });

  test('unescapes names with escapes and quotes', () => {
    expect(recordsOf(String.raw`m,a\ "b"=c\,\=d e\ "\=é=1 1`)[0]).toMatchObject({
      dimensions: ['a "b"=c,=d'],
      measures: { 'e "=é': 'DOUBLE 1' },
    });
  });

  test('adds the suffix _field to a field with the name of a tag', () => {
    expect(recordsOf('m,host=a,x=b host="b",y=1 1')[0]).toMatchObject({
      dimensions: ['host=a', 'x=b'],
      measures: { host_field: 'VARCHAR b', y: 'DOUBLE 1' },
    });
  });

  test('repeats the suffix _field while the suffixed name is a tag too', () => {
    expect(recordsOf('n,a=1,a_field=2 a=3 1')[0]).toMatchObject({
      dimensions: ['a=1', 'a_field=2'],
      measures: { a_field_field: 'DOUBLE 3' },
    });
  });

  test('rejects a point with two fields that would become one measure', () => {
    expect(reasonOf('m,host=a host=1,host_field=2 1')).toContain(
      "two fields of the point would become the measure 'host_field'",
    );
  });

  test('uses the last value of a field that a line has twice', () => {
    expect(measuresOf('a=1,b=2,a="x"')).toEqual({ a: 'VARCHAR x', b: 'DOUBLE 2' });
  });

  test.each([
    ['a line that cannot be stored', 'm,host=a host_field=1,ts_x=1 1'],
    ['an invalid line', 'm,host=a host_field=1,broken 1'],
  ])('%s does not affect the next line', (_, line) => {
    const { calls, report } = packText(`${line}\nm,host=a host=5 1`);
    expect(report.reasons().map((reason) => reason.line)).toEqual([1]);
    expect(calls[0]?.records).toMatchObject([{ measures: { host_field: 'DOUBLE 5' } }]);
  });

  test.each(['measure_value', 'measure_name', 'time', 'ts_non_existent_col', 'ts_x', 'measure_name2'])(
    'rejects a field named %s',
    (name) => {
      expect(reasonOf(`m,t=1 ok=1,${name}=1 1`)).toContain(`field '${name}'`);
    },
  );

  test('accepts names of up to 256 bytes', () => {
    expect(measuresOf(`${'é'.repeat(128)}=1`)).toBeDefined();
    expect(reasonOf(`m,t=1 ${'é'.repeat(128)}x=1 1`)).toContain('longer than 256 bytes');
  });

  test('rejects a line with more than 1,024 fields, even if they would merge into fewer measures', () => {
    const repeated = 'a=1,'.repeat(1_023);
    expect(measuresOf(`${repeated}b=2`)).toEqual({ a: 'DOUBLE 1', b: 'DOUBLE 2' });
    expect(reasonOf(`m,t=1 ${repeated}a=1,b=2 1`)).toBe('line 1: more than 1024 fields: a record has at most 256');
  });

  test('accepts up to 256 in a record', () => {
    const fields = (count: number) => Array.from({ length: count }, (_, n) => `${n.toString(36)}=t`).join();
    expect(Object.keys(measuresOf(fields(256)) ?? {})).toHaveLength(256);
    expect(reasonOf(`m,t=1 ${fields(257)} 1`)).toMatch(/^line 1: 257 fields: .*256/);
  });

  test('accepts values of up to 2,048 bytes together', () => {
    // The time (8 bytes) and t=1 (2 bytes) leave 2,038 bytes for the value.
    expect(measuresOf(`s="${'x'.repeat(2_038)}"`)).toBeDefined();
    expect(reasonOf(`m,t=1 s="${'x'.repeat(2_039)}" 1`)).toBe('line 1: record of 2049 bytes: at most 2048 are allowed');
    expect(reasonOf(`m,t=1 s="${'é'.repeat(1_024)}x" 1`)).toMatch(/^line 1: field values of 2049 bytes: /);
    // An escaped quote counts as one byte.
    expect(measuresOf(`s="${'\\"'.repeat(2_038)}"`)).toBeDefined();
  });

  test('accepts records of up to 2,048 bytes: time, names and values of dimensions, values of measures', () => {
    // Time (8), t=1 (2) and the other values (8 + 1) leave 2,029 bytes for the string. Measure names do not count.
    const fields = (bytes: number) => `${'a'.repeat(250)}=1,b=t,s="${'x'.repeat(bytes)}"`;
    expect(measuresOf(fields(2_048 - 8 - 2 - 8 - 1))).toBeDefined();
    expect(reasonOf(`m,t=1 ${fields(2_048 - 8 - 2 - 8)} 1`)).toContain('record of 2049 bytes');
  });
});

describe('time', () => {
  const timeOf = (line: string, options: Partial<MappingOptions> = {}) => recordsOf(line, options)[0]?.time;

  test.each([...V1_PRECISIONS.values()].map((precision) => [precision.name, precision] as const))(
    'gives a line without a timestamp the time of the request, truncated to %s',
    (name, precision) => {
      const unit =
        { ns: 1n, us: 1_000n, ms: 1_000_000n, s: 10n ** 9n, m: 60n * 10n ** 9n, h: 3_600n * 10n ** 9n }[name] ?? 0n;
      const now = BigInt(REQUEST_TIME) * 1_000_000n;
      expect(timeOf('m,t=1 v=1', { precision })).toBe((now / unit) * unit);
      expect(timeOf('m,t=1 v=1 27', { precision })).toBe(27n * unit);
    },
  );

  test('accepts the first and the last nanosecond of Timestream', () => {
    expect(timeOf('m,t=1 v=1 0')).toBe(0n);
    expect(timeOf('m,t=1 v=1 9223372036854775807')).toBe(9223372036854775807n);
    expect(reasonOf('m,t=1 v=1 9223372036854775808')).toContain('timestamp out of range');
  });

  test('rejects a time before 1970', () => {
    expect(reasonOf('m,t=1 v=1 -1')).toBe('line 1: the timestamp is before 1970, which Timestream cannot store');
  });
});

describe('lines', () => {
  test('rejects lines longer than the configured maximum', () => {
    const line = (bytes: number) => `m,t=1 v=${'1'.padStart(bytes - 'm,t=1 v= 1'.length, '0')} 1`;
    const options = { maxLineBytes: 100 };
    expect(recordsOf(line(99), options)).toHaveLength(1);
    expect(reasonOf(`${line(99)}\n${line(130)}`, options)).toBe('line 2: line of 130 bytes: at most 100 are allowed');
  });

  test('does not count the line break at the end of a line', () => {
    const at = 'm,t=1 v=1 1234567';
    const options = { maxLineBytes: at.length };
    for (const end of ['', '\n', '\r\n']) {
      expect(recordsOf(`${at}${end}`, options)).toHaveLength(1);
      expect(reasonOf(`${at}8${end}`, options)).toContain(`at most ${at.length} are allowed`);
    }
  });

  test('reports bad lines by number, in order, and maps the others', () => {
    const lines = [
      'm,t=1 v=1 1',
      'broken',
      '# comment',
      '',
      'm v=1 1',
      'm,t=1 v="two\nlines" 2',
      'm,t=1 v=',
      'm,t=1 v=3 3',
    ];
    const { records, report } = mapText(lines.join('\n'));
    expect(Array.from({ length: records.length }, (_, record) => records.place(record).line)).toEqual([1, 6, 9]);
    expect([report.faultyLines, report.rejectedLines]).toEqual([2, 1]);
    const reasons = report.reasons();
    expect(reasons.map(({ line, reason }) => [line, reason])).toEqual([
      [2, expect.stringMatching(/^unable to parse 'broken': at line 2:\d+: /)],
      [5, expect.stringMatching(/^line 5: the point has no tags/)],
      [8, expect.stringMatching(/^unable to parse 'm,t=1 v=': at line 8:9: /)],
    ]);
  });

  test("refuses the original connector's example, which has a comma before its timestamp, with the position", () => {
    expect(reasonOf('cpu_load_short,host=server01,region=us-west value=0.64,average=1.24, 1725059274')).toMatch(
      /^unable to parse 'cpu_load_short,.*': at line 1:69: expected a field key/,
    );
  });

  test('quotes up to 200 bytes of an invalid line', () => {
    expect(reasonOf(`m,t=1 ${'x'.repeat(300)}`)).toContain(`'m,t=1 ${'x'.repeat(194)}...'`);
  });
});

describe('large requests take linear time and memory', () => {
  const HARMLESS = 'cpu,host=a usage=0.5,n=1i 1\n'.repeat(30_000);

  // Each took minutes or gigabytes with quadratic work, or with state that was kept before the line was refused.
  function expectLinear(text: string, work: () => void): void {
    const ordinary = cpuMilliseconds(() => packText(HARMLESS)) * Math.max(1, text.length / HARMLESS.length);
    expect(cpuMilliseconds(work)).toBeLessThan(20 * ordinary);
  }

  test('one line of a million fields', () => {
    const line = `m,t=1 ${Array.from({ length: 1_000_000 }, (_, n) => `f${n}=1`).join()} 1`;
    expectLinear(line, () => expect(reasonOf(line)).toMatch(/^line 1: line of \d+ bytes: /));
  });

  test('one string of 2 MB with six bytes of JSON for each byte', () => {
    const line = `m,t=1 s="${'\u0001'.repeat(2_000_000)}" 1`;
    const before = process.memoryUsage().arrayBuffers;
    const { report } = mapText(line);
    expect(report.rejectedLines).toBe(1);
    // `mapText` makes a copy of the line.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * line.length);
  });

  test('one line of 100,000 tags', () => {
    const line = `m,${Array.from({ length: 100_000 }, (_, n) => `t${n}=1`).join()} v=1 1`;
    expectLinear(line, () => expect(reasonOf(line)).toMatch(/^line 1: line of \d+ bytes: /));
  });

  test('a wide point and 20,000 lines that merge into it', () => {
    const wide = Array.from({ length: 200 }, (_, n) => `${'x'.repeat(200)}${n}=t`).join();
    const lines = `m,t=1 ${wide} 1\n${'m,t=1 a=1 1\n'.repeat(20_000)}`;
    expectLinear(lines, () => {
      const records = packText(lines).calls.flatMap((call) => call.records);
      expect(records.map(({ measures }) => Object.keys(measures).length)).toEqual([201]);
    });
  });

  test('150,000 series on a grid of two tags', () => {
    const grid = Array.from({ length: 150_000 }, (_, n) => `m,b=${Math.floor(n / 1000)},c=${n % 1000} f=1 1`);
    const lines = grid.join('\n');
    expectLinear(lines, () => expect(mapText(lines).records.series).toHaveLength(150_000));
  });

  test('30,000 series that collide by the order of their tags', () => {
    const { lines, series } = collidingSeries(30_000);
    expectLinear(lines, () => expect(mapText(lines).records.series).toHaveLength(series));
  });

  test('lines of digits that are not a number', () => {
    const lines = `m,t=1 v=${'1'.repeat(16_000)}x 1\n`.repeat(20);
    expectLinear(lines, () => expect(mapText(lines).report.faultyLines).toBe(20));
  });
});

const FNV_PRIME = 0x01000193;

/**
 * Lines of distinct series with the same FNV hash, if it had no key and used the order of appearance of their four tags. Invalid
 * lines before them fix that order. For each pair of tags a and b, the search takes the tags d for which one step back gives a tag c.
 */
function collidingSeries(count: number): { readonly lines: string; readonly series: number } {
  const [B, C, D, END] = [1024, 2 ** 15, 2 ** 16, 2 ** 16 + 4096];
  const keyOf = (rank: number): string => (rank < B ? 'a' : rank < 2 * B ? 'b' : rank < C ? 'x' : rank < D ? 'c' : 'd');
  const tag = (rank: number): string => `${keyOf(rank)}=${rank}`;
  const ranked = Array.from(
    { length: END / 64 },
    (_, n) => `m,${Array.from({ length: 64 }, (_, i) => tag(64 * n + i)).join()} v=1`,
  );
  let inverse = 1;
  for (let i = 0; i < 5; i++) inverse = Math.imul(inverse, 2 - Math.imul(FNV_PRIME, inverse));
  const byHighBits = new Map<number, { readonly d: number; readonly hash: number }[]>();
  for (let d = D; d < END; d++) {
    const hash = Math.imul(d, inverse);
    byHighBits.set(hash >>> 15, [...(byHighBits.get(hash >>> 15) ?? []), { d, hash }]);
  }
  const colliding: string[] = [];
  for (let a = 0; a < B && colliding.length < count; a++) {
    for (let b = B; b < 2 * B; b++) {
      const hash = Math.imul(Math.imul(a, FNV_PRIME) ^ b, FNV_PRIME);
      // The high bits of the ranks of c are 1.
      for (const end of byHighBits.get((hash >>> 15) ^ 1) ?? []) {
        colliding.push(`m,${[a, b, hash ^ end.hash, end.d].map(tag).join()} v=1 1`);
      }
    }
  }
  return { lines: [...ranked, ...colliding].join('\n'), series: colliding.length };
}

describe('names that Timestream does not accept', () => {
  const ESCAPED = { escapeNames: true };

  test('are escaped in tables, dimensions and measures, and their points are stored', () => {
    const text = 'm³/h,time=a,b:c=d ts_x=1,time=2,v=3 1';
    expect(reasonsOf(mapText(text))).toHaveLength(1);
    const { calls } = packText(text, ESCAPED);
    expect(calls).toMatchObject([
      {
        table: '_.m.C2.B3.2Fh',
        records: [
          {
            dimensions: ['_.b.3Ac=d', '_.time=a'],
            measures: { '_.ts_x': 'DOUBLE 1', time_field: 'DOUBLE 2', v: 'DOUBLE 3' },
          },
        ],
      },
    ]);
  });

  test('are measure names in a single table', () => {
    const { calls } = packText('time,t=a v=1 1', { ...ESCAPED, singleTable: 'all' });
    expect(calls).toMatchObject([{ table: 'all', records: [{ measureName: '_.time' }] }]);
  });

  test('are rejected if their escaped form is too long', () => {
    expect(reasonsOf(mapText(`${'°'.repeat(50)},t=a v=1 1`, ESCAPED))).toEqual([
      'line 1: the table name is longer than 256 bytes',
    ]);
  });
});

test('adds the suffix to configured fields in every point of their measurement, and in no other', () => {
  const suffixedFields = [
    { measurement: 'system', field: 'type' },
    { measurement: undefined, field: 'state' },
  ];
  const { calls } = packText('system,t=a type=1,v=2 1\nother,t=a type=1,state=2 1', { suffixedFields });
  expect(calls.map(({ records }) => records[0]?.measures)).toEqual([
    { type_field: 'DOUBLE 1', v: 'DOUBLE 2' },
    { type: 'DOUBLE 1', state_field: 'DOUBLE 2' },
  ]);
});
