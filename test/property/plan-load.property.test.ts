/** Plans any listing in any number of parts: every listed key is planned, ignored or failed exactly once. */
import fc from 'fast-check';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { DataConversionError, S3UnavailableError } from 'shared/errors';
import type { Load } from 'shared/loads/load';
import type { ObjectStore, ObjectVersion } from 'shared/loads/objects';
import { type PlanResult, type PlanServices, planLoad } from 'shared/loads/plan-load';
import type { ParquetReader } from 'shared/parquet/reader';
import { never } from '../support/loader';

type Kind = 'good' | 'corrupt' | 'odd';
interface Found {
  readonly key: string;
  readonly kind: Kind;
}

/** The parts of a store and a reader that planning needs. */
function servicesOf(files: readonly Found[]): { services: PlanServices; written: Map<string, string> } {
  const written = new Map<string, string>();
  const kinds = new Map(files.map(({ key, kind }) => [key, kind]));
  const objects: Partial<ObjectStore> = {
    nameOf: ({ bucket, key }) => `s3://${bucket}/${key}`,
    async *list(bucket, _prefix, after = '') {
      const later = [...kinds.keys()].sort().filter((key) => key > after);
      yield await Promise.resolve(later.map((key): ObjectVersion => ({ bucket, key, etag: 'e', size: 100 })));
    },
    open: ({ key, etag, size }) =>
      Promise.resolve({ name: key, etag, size, readRange: () => Promise.reject(), close: () => Promise.resolve() }),
    write: ({ key }, body) => {
      written.set(key, Buffer.from(body).toString());
      return Promise.resolve();
    },
  };
  const inspect: ParquetReader['inspect'] = ({ name }) => {
    if (kinds.get(name) === 'corrupt') return Promise.reject(new RangeError('a number of the footer'));
    if (kinds.get(name) === 'odd') return Promise.reject(new DataConversionError('the footer counts -1 rows'));
    const rowGroups = [{ rows: 10, chunks: new Map() }];
    return Promise.resolve({ rows: 10, columns: [], rowGroups });
  };
  const services = {
    ...{ objects: objects as ObjectStore, reader: { inspect } as ParquetReader, mappings: BUILT_IN_MAPPINGS },
    ...{ validateSchema: false, workBucket: 'work', deadline: never, planBytes: 500 },
  };
  return { services, written };
}

const load: Load = {
  ...{ loadId: 'load-1', source: { bucket: 'b', prefix: 'in/' }, dataset: 'generation' },
  ...{ toleratedFailurePercentage: 0, maxConcurrency: 10, ignored: 0 },
};
const name = fc.constantFrom(
  'a.parquet',
  'b.pq',
  'c',
  'd.txt',
  '_SUCCESS',
  '_temporary/e.parquet',
  'f/',
  '_g=1/h.parq',
);
const files = fc.uniqueArray(
  fc.record({
    key: fc.tuple(fc.nat(20), name).map(([folder, file]) => `in/${folder}/${file}`),
    kind: fc.constantFrom<Kind>('good', 'corrupt', 'odd'),
  }),
  { selector: ({ key }) => key, minLength: 1, maxLength: 40 },
);

test('every key is counted once, and every line of a plan names a listed file', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (found) => {
      const good = found.filter(({ key, kind }) => kind === 'good' && /(parquet|parq|pq|\/c)$/.test(key));
      const isData = good.filter(({ key }) => !key.includes('_temporary'));
      fc.pre(isData.length > 0);
      const { services, written } = servicesOf(found);
      const results: PlanResult[] = [];
      let continuation: PlanResult['continuation'] = null;
      do {
        const result: PlanResult = await planLoad({ load, part: results.length, continuation }, services);
        results.push(result);
        continuation = result.continuation;
      } while (continuation);

      const sum = (of: (result: PlanResult) => number) => results.reduce((total, result) => total + of(result), 0);
      expect(sum(({ files, ignored, unplanned }) => files + ignored + unplanned)).toBe(found.length);
      const keysIn = (kind: string) =>
        results.flatMap(({ part }) =>
          (written.get(`loads/load-1/${kind}-${part}.jsonl`) ?? '')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => (JSON.parse(line) as { key: string }).key),
        );
      expect(keysIn('plan')).toEqual(isData.map(({ key }) => key).sort());
      expect(new Set([...keysIn('plan'), ...keysIn('unplanned')]).size).toBe(sum((it) => it.files + it.unplanned));
    }),
  );
});

test('an unavailable S3 fails the step, not a file', async () => {
  const { services, written } = servicesOf([{ key: 'in/a.parquet', kind: 'good' }]);
  const open = () => Promise.reject(new S3UnavailableError('slow down'));
  const objects = { ...services.objects, open };
  await expect(planLoad({ load, part: 0, continuation: null }, { ...services, objects })).rejects.toThrow('slow down');
  expect(written.size).toBe(0);
});
