/** The parts of the console's page that need no browser. */
import fc from 'fast-check';
import { csv } from '../../../local/console-page/csv';
import { bytes, counted, duration } from '../../../local/console-page/format';
import { hashOf, parseRoute } from '../../../local/console-page/route';
import { chartOf, seconds } from '../../../local/console-page/series';
import { identifier, mentions, newestRows } from '../../../local/console-page/sql-text';

describe('csv', () => {
  test('follows RFC 4180, and NULL differs from an empty text', () => {
    const rows = [
      ['1', null, ''],
      ['a,b', 'say "hi"', 'two\nlines'],
    ];
    expect(csv(['x', 'y, z', 'w'], rows)).toBe('x,"y, z",w\r\n1,,""\r\n"a,b","say ""hi""","two\nlines"\r\n');
  });
});

describe('route', () => {
  test('an unknown or empty hash is the overview', () => {
    expect(parseRoute('')).toEqual({ panel: 'overview' });
    expect(parseRoute('#elsewhere?sql=SELECT')).toEqual({ panel: 'overview', sql: 'SELECT' });
  });

  test('a link keeps any statement', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' }).filter((each) => each.isWellFormed());
    fc.assert(
      fc.property(text, text, (sql, table) => {
        const route = { panel: 'data', database: 'db', table, sql, view: 'chart' } as const;
        expect(parseRoute(new URL(hashOf(route), 'http://localhost/').hash)).toEqual(route);
      }),
    );
  });
});

describe('seconds', () => {
  test.each([
    ['1970-01-01 00:00:01.500000000', 1.5],
    ['2026-11-29 02:54:24.000000000', 1_795_920_864],
    ['2026-11-29T02:54:24Z', 1_795_920_864],
    ['2026-11-29 02:54', 1_795_920_840],
    ['1969-12-31 23:59:59.250000000', -0.75],
  ])('reads %s as UTC', (text, expected) => expect(seconds(text)).toBe(expected));

  test.each([null, '', '2026-11-29', 'yesterday'])('%p is no time', (text) => expect(seconds(text)).toBeNaN());
});

describe('chartOf', () => {
  const time = { name: 'time', type: 'TIMESTAMP' };
  const city = { name: 'city', type: 'VARCHAR' };
  const value = { name: 'temperature', type: 'DOUBLE' };
  const at = (second: number): string => `1970-01-01 00:00:0${second}.000000000`;
  const plain = (chart: ReturnType<typeof chartOf>) =>
    typeof chart === 'string'
      ? chart
      : {
          times: [...chart.times],
          series: Object.fromEntries(chart.series.map(({ name, values }) => [name, [...values]])),
        };

  test('has a series per tag set, with ascending times and NaN where a series has no value', () => {
    const rows = [
      [at(3), 'Faro', '3.5'],
      [at(1), 'Faro', '1.5'],
      [at(2), 'Porto', '-2'],
      [at(3), 'Porto', null],
    ];
    expect(plain(chartOf([time, city, value], rows))).toEqual({
      times: [1, 2, 3],
      series: { 'city=Faro': [1.5, Number.NaN, 3.5], 'city=Porto': [Number.NaN, -2, Number.NaN] },
    });
  });

  test('has a series per column of numbers', () => {
    const count = { name: 'points', type: 'BIGINT' };
    expect(plain(chartOf([time, value, count], [[at(1), '1', '2']]))).toEqual({
      times: [1],
      series: { temperature: [1], points: [2] },
    });
  });

  test('leaves constant tags and ignored columns out of the names', () => {
    const note = { name: 'note', type: 'VARCHAR' };
    const measure = { name: 'measure_name', type: 'VARCHAR' };
    const rows = [
      [at(1), 'Faro', 'm', 'one', '1'],
      [at(2), 'Porto', 'm', 'two', '2'],
    ];
    const chart = chartOf([time, city, measure, note, value], rows, new Set(['note']));
    expect(typeof chart === 'string' ? [] : chart.series.map(({ name }) => name)).toEqual(['city=Faro', 'city=Porto']);
  });

  test('draws the first 20 series, and fewer if each has many times of its own', () => {
    const many = Array.from({ length: 30 }, (_, index) => [at(1), `city ${index}`, '1']);
    expect(chartOf([time, city, value], many)).toMatchObject({ total: 30, series: { length: 20 } });
    const sparse = Array.from({ length: 120_000 }, (_, index) => [
      new Date(index * 1_000).toISOString().replace('T', ' ').replace('Z', '000000'),
      `city ${index % 10}`,
      '1',
    ]);
    expect(chartOf([time, city, value], sparse)).toMatchObject({ total: 10, series: { length: 8 } });
  });

  test.each([
    ['without a time', [city, value], [['Faro', '1']], /timestamp/],
    ['without numbers', [time, city], [[at(1), 'Faro']], /numbers/],
    ['without rows', [time, value], [], /no rows/],
  ])('says why there is no chart %s', (_, columns, rows, expected) => expect(chartOf(columns, rows)).toMatch(expected));
});

describe('SQL', () => {
  test('names of any characters are quoted', () => {
    expect(newestRows('my-db', 'a"b')).toBe('SELECT *\nFROM "my-db"."a""b"\nORDER BY time DESC\nLIMIT 1000');
    expect([identifier('city'), identifier('Order Id'), identifier('1st')]).toEqual(['city', '"Order Id"', '"1st"']);
  });

  test('a statement mentions a table only as a whole name', () => {
    expect(mentions('SELECT * FROM "db"."weather" LIMIT 1', 'weather')).toBe(true);
    expect(mentions('SELECT * FROM Weather', 'weather')).toBe(true);
    expect(mentions('SELECT * FROM weather_old', 'weather')).toBe(false);
    expect(mentions('SELECT * FROM weather_old, weather', 'weather')).toBe(true);
    expect([mentions('FROM "a.b"', 'a.b'), mentions('FROM "axb"', 'a.b')]).toEqual([true, false]);
  });
});

describe('numbers as text', () => {
  test.each([
    [0.42, '0.4 ms'],
    [38.4, '38 ms'],
    [1_240, '1.2 s'],
    [61_000, '1 min 1 s'],
    [3_600_000, '1 h 0 min'],
    [3 * 86_400_000, '3 d 0 h'],
  ])('%d ms is %s', (ms, expected) => expect(duration(ms)).toBe(expected));

  test('counts have separators, their noun and a unit', () => {
    expect([counted(1, 'line'), counted(12_345, 'line'), bytes(999), bytes(4_200), bytes(1_500_000)]).toEqual([
      '1 line',
      '12,345 lines',
      '999 B',
      '4.2 kB',
      '1.5 MB',
    ]);
  });
});
