/** The text of an inference. */
import type { InferredLoad } from '../../../local/loader/infer';
import { inferenceText } from '../../../local/loader/inference-text';

const inference: InferredLoad = {
  mapping: { name: 'm', measurement: 'm', time: { column: 't' }, tags: { optional: [] }, fields: [] },
  ...{
    decisions: [],
    ambiguities: [],
    maxSeries: 1,
    series: 1,
    overwrites: { inFiles: 0, acrossFiles: 0 },
    needsDataset: false,
  },
  ...{ rows: 800, sampledRows: 800, files: 8, sampledFiles: 8, moreFiles: false },
};

test.each<[Partial<InferredLoad>, string]>([
  [{}, 'Read 800 rows in 8 files'],
  [{ rows: 9_000 }, 'Read 800 of 9,000 rows in 8 files'],
  [{ files: 12 }, 'Read 800 rows in 8 of 12 files'],
  [{ files: 10_000, moreFiles: true }, 'Read 800 rows in 8 of the first 10,000 files'],
])('says what was read: %#', (more, expected) => {
  expect(inferenceText({ ...inference, ...more }).split('\n')[0]).toBe(expected);
});
