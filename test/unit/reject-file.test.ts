import { gunzipSync } from 'node:zlib';
import { RejectFile } from 'shared/reject-file';

const entriesOf = (file: Uint8Array | undefined) =>
  gunzipSync(file ?? '')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { n?: number; omitted?: number });

test('a file without an entry is none', () => {
  expect(new RejectFile({ id: 'x' }).finish()).toBeUndefined();
});

test('what lies in several pieces is read as one file', () => {
  const file = new RejectFile({ id: 'x' });
  const reason = 'a reason of some length '.repeat(10);
  const entries = Array.from({ length: 5_000 }, (_, n) => ({ n, reason }));
  for (const entry of entries) file.add(entry);
  expect(entriesOf(file.finish())).toEqual(entries.map((entry) => ({ id: 'x', ...entry })));
});

test.each([{ bytes: 1 }, { entries: 300 }])('a file that %j makes full says how many are not in it', (limits) => {
  const file = new RejectFile({}, limits);
  const reason = 'a reason of some length '.repeat(100);
  for (let n = 0; n < 1_000; n++) file.add({ reason });
  const entries = entriesOf(file.finish());
  const last = entries.pop();
  expect(entries.length).toBeGreaterThan(0);
  expect(last?.omitted).toBe(1_000 - entries.length);
});
