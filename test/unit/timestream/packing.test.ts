/** Points of the same series and time become one record; records of a table go into as few calls as possible. */
import { packText, reasonsOf } from '../../support/connector-mapping';
import { readCall } from '../../support/timestream-calls';

const recordsOf = (text: string) => packText(text).calls.flatMap(({ records }) => records);
const merged = (text: string) => {
  const records = recordsOf(text);
  expect(records).toHaveLength(1);
  return records[0]?.measures;
};

describe('merging', () => {
  test('merges lines of the same series and time into one record; the later line wins for each field', () => {
    expect(merged('m,t=1 a=1,b=2 5\nm,t=1 b="x",c=3i 5')).toEqual({ a: 'DOUBLE 1', b: 'VARCHAR x', c: 'BIGINT 3' });
  });

  test('ignores the order of the tags', () => {
    expect(merged('m,a=1,b=2 x=1 5\nm,b=2,a=1 y=2 5')).toEqual({ x: 'DOUBLE 1', y: 'DOUBLE 2' });
  });

  test('merges in the order of the lines, also with lines of other series between them', () => {
    const lines = ['m,t=1 v=1 5', 'm,t=2 v=1 5', 'm,t=2 v=2 5', 'm,t=1 v=2 5', 'm,t=1 v=3 5'];
    expect(recordsOf(lines.join('\n')).map(({ dimensions, measures }) => [dimensions[0], measures.v])).toEqual([
      ['t=1', 'DOUBLE 3'],
      ['t=2', 'DOUBLE 2'],
    ]);
  });

  test('merges a line without a timestamp with a line that has the time of the request', () => {
    expect(merged('m,t=1 a=1\nm,t=1 b=2 1709296496789000000')).toEqual({ a: 'DOUBLE 1', b: 'DOUBLE 2' });
  });

  test.each([
    ['tag value', 'm,t=2 v=2 5'],
    ['number of tags', 'm,t=1,u=1 v=2 5'],
    ['time (by 1 ns)', 'm,t=1 v=2 6'],
    ['measurement', 'n,t=1 v=2 5'],
  ])('does not merge lines with a different %s', (_, line) => {
    expect(recordsOf(`m,t=1 v=1 5\n${line}`)).toHaveLength(2);
  });

  test('rejects a line that would make the merged record too large, and names the first line of the record', () => {
    const text = 'x'.repeat(1_200);
    const packed = packText(`m,t=1 a="${text}" 5\nm,t=1 b="${text}" 5\nm,t=1 c=1 5`);
    expect(reasonsOf(packed)).toEqual([
      'line 2: together with line 1, of the same series and time: field values of 2400 bytes: a record has at most 2048',
    ]);
    expect(packed.calls[0]?.records).toMatchObject([{ measures: { a: `VARCHAR ${text}`, c: 'DOUBLE 1' } }]);
  });
});

describe('packing', () => {
  const lines = (table: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${table},h=${n % 7},region=eu v=${n} ${n}000000000\n`).join('');

  test.each([
    [1, 1],
    [100, 1],
    [101, 2],
    [250, 3],
  ])('sends %i records of a table in %i calls', (records, calls) => {
    expect(packText(lines('m', records)).calls.map((call) => call.records.length)).toHaveLength(calls);
  });

  test('sends records of different tables in different calls', () => {
    const calls = packText(lines('a', 3) + lines('b', 101)).calls.map(({ table, records }) => [table, records.length]);
    expect(calls).toEqual([
      ['a', 3],
      ['b', 100],
      ['b', 1],
    ]);
  });

  test('sorts records by series and time, so that neighbors share attributes', () => {
    const [body] = packText('m,h=1 v=1 2\nm,h=2 v=1 3\nm,h=2 v=1 1\nm,h=1 v=1 1').bodies;
    const order = readCall(body ?? Buffer.of()).Records.map(({ Dimensions, Time }) => [Dimensions?.[0]?.Value, Time]);
    expect(order).toEqual([
      ['1', '1'],
      ['1', '2'],
      ['2', '1'],
      ['2', '3'],
    ]);
  });

  test('writes the body of a call with one series byte for byte as expected', () => {
    const [body] = packText(
      'cpu,host=a usage=0.5,n=1i 1709294400000000000\ncpu,host=a usage=1 1709294400500000000',
    ).bodies;
    expect(body?.toString()).toBe(
      '{"DatabaseName":"influxdb-line-protocol","TableName":"cpu","CommonAttributes":{"MeasureName":"influxdb-measure",' +
        '"Dimensions":[{"Name":"host","Value":"a"}],"MeasureValueType":"MULTI","TimeUnit":"MILLISECONDS","Version":1},' +
        '"Records":[{"MeasureValues":[{"Name":"usage","Value":"0.5","Type":"DOUBLE"},{"Name":"n","Value":"1","Type":"BIGINT"}],' +
        '"Time":"1709294400000"},{"MeasureValues":[{"Name":"usage","Value":"1","Type":"DOUBLE"}],"Time":"1709294400500"}]}',
    );
  });

  test.each([
    ['SECONDS', '5000000000', '5'],
    ['MILLISECONDS', '5001000000', '5001'],
    ['MICROSECONDS', '5000001000', '5000001'],
    ['NANOSECONDS', '5000000001', '5000000001'],
    ['NANOSECONDS', '7', '7'],
    ['NANOSECONDS', '9223372036854775807', '9223372036854775807'],
    ['SECONDS', '0', '0'],
  ])('uses %s for a time of %s ns', (unit, nanos, time) => {
    const call = readCall(packText(`m,t=1 v=1 ${nanos}`).bodies[0] ?? Buffer.of());
    expect([call.CommonAttributes.TimeUnit, call.Records[0]?.Time]).toEqual([unit, time]);
  });
});
