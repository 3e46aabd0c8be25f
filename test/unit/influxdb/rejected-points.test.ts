/** The lines that a partial write of InfluxDB 2 rejected, and the parts of a batch that are sent apart to find them. */
import { findRejected, partToTry } from 'shared/influxdb/rejected-points';

const CONFLICT =
  'partial write: field type conflict: input field "v" on measurement "m" is type string, already exists as type float dropped=2';
const bytesOf = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => `${line}\n`).join(''));
const found = (lines: readonly string[], rejected: number, example = CONFLICT): readonly number[] | undefined => {
  const result = findRejected(bytesOf(lines), 'ns', [{ reason: 'r', lines: rejected, example }]);
  return result.unknown.length > 0 ? undefined : [...result.found.keys()];
};

describe('lines are known', () => {
  const lines = ['m v="x" 1', 'm v=1 2', 'n v="x" 3', 'm w="x" 4', 'm w=1,v="y" 5'];

  test('if as many lines have the measurement, field and type as InfluxDB rejected', () => {
    expect(found(lines, 2)).toEqual([0, 4]);
  });

  test.each([1, 3, 4])('not if InfluxDB rejected %d: it means a part of them, or others as well', (rejected) => {
    expect(found(lines, rejected)).toBeUndefined();
  });

  test('if InfluxDB rejected all, whatever its message', () => {
    expect(found(lines, 5, 'anything')).toEqual([0, 1, 2, 3, 4]);
  });

  test('not if a line cannot be read', () => {
    expect(found([...lines, 'm v="x"1'], 2)).toBeUndefined();
  });

  test('if they have positions; a position that occurs twice is one line', () => {
    const rejections = [0, 1, 1].map((index) => ({ reason: 'r', lines: 1, example: 'm', index }));
    expect([...findRejected(bytesOf(lines), 'ns', rejections).found.keys()]).toEqual([0, 1]);
  });
});

describe('the part to send apart', () => {
  const part = (times: readonly string[]): number[] => {
    const lines = times.map((time) => `m v="x" ${BigInt(Date.parse(`${time}Z`)) * 1_000_000n}`);
    return [...partToTry(bytesOf(lines), 'ns', CONFLICT)].sort((a, b) => a - b);
  };

  test('is the lines that the message may mean, if there are others', () => {
    const lines = ['m v=1 1', 'm v="x" 2', 'm v=2i 3', 'm v="x" 4'];
    expect([...partToTry(bytesOf(lines), 'ns', CONFLICT)]).toEqual([1, 3]);
  });

  test.each<[string, string[], number[]]>([
    ['before a Monday', ['2024-01-07T23:59:59', '2024-01-08T00:00', '2024-01-09T00:00', '2024-01-10T00:00'], [0]],
    ['before a Monday before 1970', ['1969-12-29T00:00', '1969-12-30T00:00', '1969-12-28T23:00'], [2]],
    ['before midnight', ['2024-01-10T05:00', '2024-01-09T23:00', '2024-01-10T04:00', '2024-01-09T22:00'], [1, 3]],
    ['before the full hour', ['2024-01-10T05:01', '2024-01-10T04:59', '2024-01-10T05:02', '2024-01-10T05:03'], [1]],
    ['the earlier half of one hour', ['2024-01-10T05:04', '2024-01-10T05:01', '2024-01-10T05:03'], [1, 2]],
    ['half of equal times', ['2024-01-10T05:04', '2024-01-10T05:04', '2024-01-10T05:04'], [0, 1]],
  ])('is otherwise the lines %s', (_, times, expected) => {
    expect(part(times)).toEqual(expected);
  });
});
