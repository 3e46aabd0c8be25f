import { gunzipSync } from 'node:zlib';
import { RejectFile } from 'shared/reject-file';

const entriesOf = (file: Uint8Array | undefined) =>
  gunzipSync(file ?? '')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { n?: number; omitted?: number });

test('returns no file if nothing was rejected', () => {
  expect(new RejectFile({ id: 'x' }).finish()).toBeUndefined();
});

test('writes several pieces that can be read as one file', () => {
  const file = new RejectFile({ id: 'x' });
  const reason = 'a reason of some length '.repeat(10);
  const entries = Array.from({ length: 5_000 }, (_, n) => ({ n, reason }));
  for (const entry of entries) file.add(entry);
  expect(entriesOf(file.finish())).toEqual(entries.map((entry) => ({ id: 'x', ...entry })));
});

test.each([{ bytes: 1 }, { entries: 300 }])(
  'writes the number of omitted entries as the last line if the limit %j is reached',
  (limits) => {
    const file = new RejectFile({}, limits);
    const reason = 'a reason of some length '.repeat(100);
    for (let n = 0; n < 1_000; n++) file.add({ reason });
    const entries = entriesOf(file.finish());
    const last = entries.pop();
    expect(entries.length).toBeGreaterThan(0);
    expect(last?.omitted).toBe(1_000 - entries.length);
  },
);

test('adds entries that it was not given to the number of omitted entries', () => {
  const file = new RejectFile({}, { entries: 1 });
  expect(file.isFull).toBe(false);
  file.add({ reason: 'a' });
  expect(file.isFull).toBe(true);
  file.add({ reason: 'b' });
  file.omit(5);
  expect(entriesOf(file.finish())).toMatchObject([{ reason: 'a' }, { omitted: 6 }]);
});
