/** Rejected lines in a bucket: all of them are kept, and the response names the object only if it was stored. */
import { gunzipSync } from 'node:zlib';
import { ASYNCHRONOUS, errorIn, type HandlerOptions, handlerOf, writeEvent } from '../../support/connector-handler';
import { REQUEST_TIME } from '../../support/connector-mapping';
import { answer } from '../../support/timestream-model';

const BUCKET = { rejected_lines_bucket: 'rejected' };
const KEY = 'rejected-lines/2024/03/01/request-1.jsonl.gz';
const entriesOf = (body: Uint8Array | undefined) =>
  gunzipSync(body ?? '')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const handler = (options: HandlerOptions = {}) => handlerOf({ environment: BUCKET, ...options });
const LINES = ['m,t=1 v=1i 7', 'broken', 'm v="no tags" 6', 'm,t=old v=1i 9'];
const rejectOld: HandlerOptions['send'] = (body) => {
  const { Records } = JSON.parse(Buffer.from(body).toString()) as { Records: unknown[] };
  const old = Records.findIndex((record) => JSON.stringify(record).includes('"old"'));
  return Promise.resolve(
    answer(419, 'RejectedRecordsException', { RejectedRecords: [{ RecordIndex: old, Reason: 'too old' }] }),
  );
};

test('keeps every line with number, reason, text, request id and time, and returns the address of the object', async () => {
  const { handle, objects } = handler({ send: rejectOld });
  const response = await handle(writeEvent(LINES.join('\r\n')));
  expect(response?.statusCode).toBe(400);
  expect(errorIn(response).message).toMatch(
    new RegExp(`^partial write: .*\nthe rejected lines are in s3://rejected/${KEY} dropped=3$`, 's'),
  );
  expect(objects.map(({ key }) => key)).toEqual([KEY]);
  const time = new Date(REQUEST_TIME).toISOString();
  expect(entriesOf(objects[0]?.body)).toEqual([
    {
      time,
      requestId: 'request-1',
      line: 2,
      text: 'broken',
      reason: expect.stringContaining("unable to parse 'broken'"),
      kind: 'faulty',
    },
    {
      time,
      requestId: 'request-1',
      line: 3,
      text: 'm v="no tags" 6',
      reason: expect.stringContaining('no tags'),
      kind: 'rejected',
      destination: 'timestream',
    },
    {
      time,
      requestId: 'request-1',
      line: 4,
      text: 'm,t=old v=1i 9',
      reason: 'line 4: too old',
      kind: 'rejected',
      destination: 'timestream',
    },
  ]);
});

test('keeps all of 350 lines, and names 100 in the response', async () => {
  const lines = Array.from({ length: 350 }, (_, n) => (n % 2 === 0 ? `broken${n}` : `m v=${n} 1`));
  const { handle, objects } = handler();
  const { message } = errorIn(await handle(writeEvent(lines.join('\n'))));
  expect(message).toMatch(/\nand 250 more lines\nthe rejected lines are in s3:\/\/\S+ dropped=350$/);
  const texts = entriesOf(objects[0]?.body).map(({ line, text }) => [Number(line), text]);
  expect(texts.sort(([a], [b]) => Number(a) - Number(b))).toEqual(lines.map((text, n) => [n + 1, text]));
});

test('keeps the first 65,536 characters of a line that is too long', async () => {
  const { handle, objects } = handler();
  const longest = `broken${'x'.repeat(65_530)}`;
  await handle(writeEvent(`${longest}\n${longest}xyz`));
  expect(entriesOf(objects[0]?.body).map(({ text }) => text)).toEqual([longest, `${longest}...`]);
});

test('a write without rejected lines stores no object', async () => {
  const { handle, objects } = handler();
  expect(await handle(writeEvent('m,t=1 v=1i 7'))).toMatchObject({ statusCode: 204 });
  expect(objects).toEqual([]);
});

test('a 503 response stores no object, because the client sends the request again', async () => {
  const { handle, objects } = handler({ send: () => Promise.resolve(answer(400, 'AccessDeniedException')) });
  expect(await handle(writeEvent(LINES.join('\n')))).toMatchObject({ statusCode: 503 });
  expect(objects).toEqual([]);
});

test.each<[string, NonNullable<HandlerOptions['storeRejected']>]>([
  ['is unavailable', () => Promise.reject(new Error('bucket is unavailable'))],
  ['does not respond until the deadline', () => new Promise(() => undefined)],
])(
  'if the bucket %s, the response is the same as without a bucket, and the log has the error',
  async (_, storeRejected) => {
    const environment = { ...BUCKET, write_deadline_millis: '100' };
    const { handle, logger, stored } = handler({ environment, storeRejected });
    const body = 'm,t=1 v=1i 7\nbroken';
    const response = await handle(writeEvent(body));
    expect(response).toEqual(await handlerOf().handle(writeEvent(body)));
    expect(stored).toHaveLength(1);
    expect(logger.entries).toContainEqual(
      expect.objectContaining({ message: 'the rejected lines could not be stored' }),
    );
  },
);

test('requests without an id get separate objects; a repeated request gets the same object', async () => {
  const { handle, objects } = handler();
  const context = { requestContext: { requestTimeEpoch: REQUEST_TIME } };
  for (const body of ['broken', 'broken 2', 'broken']) await handle(writeEvent(body, context));
  const [first, second, third] = objects.map(({ key }) => key);
  expect(first).toMatch(/^rejected-lines\/2024\/03\/01\/[\w-]+\.jsonl\.gz$/);
  expect([third, first === second]).toEqual([first, false]);
});

test('an id that API Gateway would not generate is not used in the key', async () => {
  const { handle, objects } = handler();
  await handle(writeEvent('broken', { requestContext: { requestTimeEpoch: REQUEST_TIME, requestId: '../../x' } }));
  expect(objects[0]?.key).toMatch(/^rejected-lines\/2024\/03\/01\/[\w-]+\.jsonl\.gz$/);
});

describe('in asynchronous mode', () => {
  const environment = { ...ASYNCHRONOUS, ...BUCKET };

  async function handedOver(body: string) {
    const { handle, handedOver: events } = handler({ environment });
    await handle(writeEvent(body));
    return events[0];
  }

  test('they are in the bucket instead of the queue; a second try writes the same object', async () => {
    const event = await handedOver('m,t=1 v=1i 7\nbroken');
    const { handle, objects, messages } = handler({ environment });
    for (let attempt = 0; attempt < 2; attempt++) expect(await handle(event)).toBeUndefined();
    expect(objects.map(({ key }) => key)).toEqual([KEY, KEY]);
    expect(entriesOf(objects[0]?.body)).toMatchObject([{ line: 2, text: 'broken' }]);
    expect(messages).toEqual([]);
  });

  test('an unavailable bucket fails the invocation, so that Lambda keeps the event', async () => {
    const storeRejected = () => Promise.reject(new Error('bucket is unavailable'));
    const { handle } = handler({ environment, storeRejected });
    await expect(handle(await handedOver('broken'))).rejects.toThrow('bucket is unavailable');
  });
});
