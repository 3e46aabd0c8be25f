/** Duplicates are counted in any order of the points, also where the counter's memory grows or begins again. */
import { DuplicateCounter } from 'shared/points/duplicates';

type Point = readonly [series: number, seconds: number, nanos: number];
const POINTS = 10_000;
const numbers = Array.from({ length: POINTS }, (_, n) => n);

function count(points: Iterable<Point>): number {
  const counter = new DuplicateCounter();
  for (const [series, seconds, nanos] of points) counter.add(series, seconds, nanos);
  const { count } = counter;
  counter.free();
  return count;
}

test.each<[string, (n: number) => Point]>([
  ['later', (n) => [0, n, 0]],
  ['earlier', (n) => [0, POINTS - n, 0]],
  ['of several series', (n) => [n % 7, POINTS - n, n % 3]],
  ['in no order', (n) => [n % 2, (n * 7919) % POINTS, n]],
])('counts every point that is repeated after all points, which become %s', (_, pointOf) => {
  const points = numbers.map(pointOf);
  expect(count([...points, ...points])).toBe(POINTS);
});

test('counts a point that is repeated at once, wherever it stands', () => {
  expect(
    count(
      numbers.flatMap((n): Point[] => [
        [0, POINTS - n, 0],
        [0, POINTS - n, 0],
      ]),
    ),
  ).toBe(POINTS);
});

test('counts the repetition of the point with which it begins again', () => {
  function* many(): Generator<Point> {
    for (let n = 0; n <= 1 << 20; n++) yield [0, -n, 0];
    yield [0, -(1 << 20), 0];
  }
  expect(count(many())).toBe(1);
});
