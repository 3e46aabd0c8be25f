/** Points that overwrite each other are found across items by their series, time and fields. */
import { DistinctCounter, hashPoint, hashText } from 'shared/points/hyperloglog';
import { SeriesCounts } from 'shared/points/series-counts';
import { Overwrites } from '../../../local/loader/overwrites';

/** An item with a point per second. */
function item(fields: readonly string[], from: number, to: number, series = 'm,host=a') {
  const counts = new SeriesCounts();
  counts.measurement('m').addColumn('host', 'tag');
  for (const field of fields) counts.measurement('m').addColumn(field, 'float');
  const distinct = new DistinctCounter();
  const hash = hashText(series);
  for (let second = from; second < to; second++) distinct.add(hashPoint(hash, second, 0));
  return { series: counts.report(), points: to - from, distinct: distinct.toBytes() };
}

function counted(...items: ReturnType<typeof item>[]) {
  const overwrites = new Overwrites();
  for (const each of items) overwrites.add(each);
  return overwrites.counts();
}

test('counts the points of two items with the same series and times exactly up to 512', () => {
  expect(counted(item(['f'], 0, 300), item(['f'], 290, 500))).toEqual({
    ...{ written: 510, distinct: 500, isEstimate: false, overwritten: 10 },
  });
  expect(counted(item(['f'], 0, 200), item(['f'], 0, 200, 'm,host=b')).overwritten).toBe(0);
});

test('items without a field in common do not overwrite each other, unless a third has fields of both', () => {
  expect(counted(item(['f'], 0, 100), item(['g'], 0, 100)).overwritten).toBe(0);
  expect(counted(item(['f'], 0, 100), item(['g'], 0, 100), item(['f', 'g'], 100, 200)).overwritten).toBe(100);
});

test('estimates large items, and reports only a difference beyond the error', () => {
  const apart = counted(item(['f'], 0, 50_000), item(['f'], 50_000, 100_000), item(['f'], 99_900, 101_000));
  expect(apart).toMatchObject({ written: 101_100, isEstimate: true, overwritten: 0 });
  const same = counted(item(['f'], 0, 50_000), item(['f'], 0, 50_000));
  expect(same.overwritten / 50_000).toBeGreaterThan(0.95);
  expect(same.overwritten / 50_000).toBeLessThan(1.05);
});

test.each([1, 60, 86_400])('a hash of points tells times apart that are %i s and some ns apart', (step) => {
  const counter = new DistinctCounter();
  for (let index = 0; index < 200_000; index++) {
    counter.add(hashPoint(hashText(`m,host=${index % 5}`), -4e9 + step * (index >> 2), (index & 3) * 1_000));
  }
  expect(Math.abs(counter.count() / 200_000 - 1)).toBeLessThan(0.03);
});
