/** Which keys are not data, against the rule said in another way, and what becomes of every key of a listing. */
import fc from 'fast-check';
import { BUILT_IN_MAPPINGS } from 'shared/datasets/built-in';
import { isLeftOut } from 'shared/loads/left-out';
import { readLoad } from 'shared/loads/load';
import { objectsToLoad } from 'shared/loads/object-events';

const segment = fc.oneof(
  fc.constantFrom(
    '_temporary',
    '_SUCCESS',
    '_delta_log',
    '.ipynb_checkpoints',
    '.x=1',
    '_x=1',
    '_=',
    'a_b',
    'a.b',
    'x',
  ),
  fc.constantFrom('dataset=generation', 'part-0.parquet', 'name_$folder$', '', '_', '.', '..'),
  fc.string({ unit: fc.constantFrom(...'_.=a/$é'), maxLength: 6 }),
);
const keys = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'))
  .filter((key) => key !== '');

/** The rule as one pattern: a hidden segment anywhere, or a marker's end. */
const LEFT_OUT = /(^|\/)(\.|_[^/=]*(\/|$))|\/$|_\$folder\$$/;

test('a key is left out if any segment is hidden, or if it is a marker', () => {
  fc.assert(
    fc.property(keys, (key) => expect(isLeftOut(key)).toBe(LEFT_OUT.test(key))),
    { numRuns: 2000 },
  );
});

const notification = (names: readonly string[]) => ({
  Records: names.map((key) => ({
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:Put',
    s3: { bucket: { name: 'b' }, object: { key: encodeURIComponent(key).replaceAll('%20', '+') } },
  })),
});
const created = (key: string) => ({
  'detail-type': 'Object Created',
  detail: { bucket: { name: 'b' }, object: { key } },
});
/** As SNS hands an event over to a queue, and to Lambda. */
const envelope = (event: unknown) => ({ Type: 'Notification', TopicArn: 'arn', Message: JSON.stringify(event) });
const topic = (...events: unknown[]) => ({
  Records: events.map((event) => ({ EventSource: 'aws:sns', Sns: envelope(event) })),
});

test('every object of a notification in any envelope is either loaded or ignored', () => {
  const ways: ((names: readonly string[]) => unknown)[] = [
    notification,
    (names) => envelope(notification(names)),
    (names) => envelope(envelope(notification(names))),
    (names) => topic(...names.map((name) => notification([name]))),
    (names) => topic(...names.map(created)),
  ];
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 6 }), fc.constantFrom(...ways), (names, way) => {
      const { objects, ignored } = objectsToLoad(way(names));
      expect(objects).toEqual(names.filter((key) => !LEFT_OUT.test(key)).map((key) => ({ bucket: 'b', key })));
      expect(objects.length + ignored).toBe(names.length);
    }),
  );
});

test('an explicitly named key is loaded whatever its name', () => {
  fc.assert(
    fc.property(keys, (key) => {
      const request = { bucket: 'b', key };
      expect(objectsToLoad(request)).toEqual({ objects: [request], ignored: 0 });
    }),
  );
});

test('an execution for a new object loads nothing if the object is not data', () => {
  const rules = { mappings: BUILT_IN_MAPPINGS, reservedConcurrency: undefined };
  fc.assert(
    fc.property(keys, (key) => {
      const isHidden = LEFT_OUT.test(`generation/${key}`);
      const load = () => readLoad('load-1', created(`generation/${key}`), rules).ignored;
      // A key may name several datasets, which is of no concern where it is left out.
      if (isHidden) expect(load()).toBe(1);
      else expect(load()).toBe(0);
    }),
  );
});
