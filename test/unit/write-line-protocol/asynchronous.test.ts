/** Asynchronous mode: a write is handed over with a 202, and stored later. Points that cannot be stored are not lost. */
import { gzipSync } from 'node:zlib';
import { ASYNCHRONOUS, errorIn, type HandlerOptions, handlerOf, writeEvent } from '../../support/connector-handler';
import { REQUEST_TIME } from '../../support/connector-mapping';
import { answer } from '../../support/timestream-model';

const LINES = 'm,t=1 v=1i 7\nm,t=1 v=2i 8';
const handler = (options: HandlerOptions = {}) => handlerOf({ environment: ASYNCHRONOUS, ...options });

describe('the hand-over', () => {
  test('returns 202 and stores nothing yet', async () => {
    const { handle, handedOver, stored } = handler();
    expect(await handle(writeEvent(LINES))).toMatchObject({ statusCode: 202 });
    expect(handedOver).toHaveLength(1);
    expect(stored).toEqual([]);
  });

  test('contains everything needed to store the points later, and no credential', async () => {
    const { handle, handedOver } = handler();
    const event = writeEvent(gzipSync(LINES), {
      headers: {
        Authorization: 'Token secret-token',
        Cookie: 'session=secret-cookie',
        'X-Amz-Security-Token': 'secret-session',
        'Content-Encoding': 'gzip',
      },
      resource: '/write',
      queryStringParameters: { db: 'd', u: 'secret-user', p: 'secret-password', precision: 'ms' },
    });
    await handle(event);
    expect(handedOver).toEqual([
      {
        asynchronous: true,
        httpMethod: 'POST',
        path: '/write',
        headers: { 'Content-Encoding': 'gzip' },
        queryStringParameters: { precision: 'ms', db: 'd' },
        body: event.body,
        isBase64Encoded: true,
        requestContext: { requestTimeEpoch: REQUEST_TIME, requestId: 'request-1' },
      },
    ]);
    expect(JSON.stringify(handedOver)).not.toContain('secret');
  });

  test('has at most 900 KB; above that the client gets 413', async () => {
    const { handle, handedOver } = handler();
    await handle(writeEvent(''));
    const overhead = Buffer.byteLength(JSON.stringify(handedOver[0]));
    const fits = (bytes: number) => `# ${'x'.repeat(bytes - overhead - 2)}`;
    expect(await handle(writeEvent(fits(900 * 1024)))).toMatchObject({ statusCode: 202 });
    const response = await handle(writeEvent(fits(900 * 1024 + 1)));
    expect(response?.statusCode).toBe(413);
    expect(errorIn(response)).toMatchObject({
      code: 'request too large',
      message: expect.stringContaining('921601 bytes'),
    });
    expect(handedOver).toHaveLength(2);
  });

  test.each([
    ['an unknown precision', writeEvent(LINES, { queryStringParameters: { precision: 'd' } }), 400],
    ['an unsupported encoding', writeEvent(LINES, { headers: { 'Content-Encoding': 'br' } }), 415],
    ['invalid gzip', writeEvent(LINES, { headers: { 'Content-Encoding': 'gzip' } }), 400],
    ['a gzip bomb', writeEvent(gzipSync(Buffer.alloc(30 * 1024 ** 2))), 413],
    ['an unknown path', writeEvent(LINES, { resource: '/api/v2/query' }), 404],
  ])('does not happen for %s; the client gets the error at once', async (_, event, status) => {
    const { handle, handedOver } = handler();
    expect((await handle(event))?.statusCode).toBe(status);
    expect(handedOver).toEqual([]);
  });

  test('does not change /ping', async () => {
    const event = writeEvent('', { resource: '/ping', httpMethod: 'GET' });
    expect(await handler().handle(event)).toMatchObject({ statusCode: 204 });
  });
});

describe('an event that was handed over', () => {
  /** What the first invocation hands to the second. */
  async function handedOver(body: string | Buffer, changes: Parameters<typeof writeEvent>[1] = {}) {
    const { handle, handedOver: events } = handler();
    await handle(writeEvent(body, changes));
    return events[0];
  }

  test('is stored with the time of its request, and not handed over again', async () => {
    const event = await handedOver('m,t=1 v=1i', { queryStringParameters: { precision: 's' } });
    const second = handler();
    expect(await second.handle(event)).toBeUndefined();
    expect(second.handedOver).toEqual([]);
    expect(second.stored.map(({ time }) => time)).toEqual([BigInt(Math.floor(REQUEST_TIME / 1000)) * 1_000_000_000n]);
    expect(second.messages).toEqual([]);
  });

  test('is stored from gzip, and also if asynchronous mode has been disabled since', async () => {
    const event = await handedOver(gzipSync(LINES), { headers: { 'content-encoding': 'gzip' } });
    const second = handlerOf();
    expect(await second.handle(event)).toBeUndefined();
    expect(second.stored).toHaveLength(2);
  });

  test('throws while a valid line is not stored, so that Lambda keeps the event', async () => {
    const send = () => Promise.resolve(answer(400, 'AccessDeniedException', { message: 'no' }));
    const second = handler({ send });
    const event = await handedOver(`${LINES}\nbroken`);
    await expect(second.handle(event)).rejects.toMatchObject({
      name: 'StorageUnavailableError',
      message: '2 points are not stored: AccessDeniedException: no',
    });
    expect(second.messages).toEqual([]);
  });

  test('may use all the time that Lambda leaves, also after the deadline of a request', async () => {
    let calls = 0;
    const send = () =>
      Promise.resolve(calls++ === 0 ? answer(400, 'ThrottlingException') : { status: 200, body: Buffer.from('{}') });
    const second = handler({ send, environment: { ...ASYNCHRONOUS, write_deadline_millis: '100' } });
    const event = await handedOver(LINES);
    await second.handle(event, { getRemainingTimeInMillis: () => 30_000 });
    expect(calls).toBe(2);
  });

  test('sends a message with the unchanged rejected lines and their reasons', async () => {
    const bad = ['m,t=1 v=', 'm,time=1 v="two\nlines",x=1 5', 'm v="no tags" 6', 'm,t=1,t=2 v=1', 'm,t=old v=1i 9'];
    const lines = [LINES, bad[0], '# comment', bad[1], '', bad[2], 'm,t=1 v=3i 10', bad[3], bad[4]];
    const rejectOld = (body: Uint8Array) => {
      const { Records } = JSON.parse(Buffer.from(body).toString()) as { Records: unknown[] };
      const old = Records.findIndex((record) => JSON.stringify(record).includes('"old"'));
      const RejectedRecords = [{ RecordIndex: old, Reason: 'too old' }];
      return Promise.resolve(answer(419, 'RejectedRecordsException', { RejectedRecords }));
    };
    const changes = { queryStringParameters: { precision: 'ms' } };
    const event = await handedOver(gzipSync(lines.join('\r\n')), changes);
    const second = handler({ send: rejectOld });
    expect(await second.handle(event)).toBeUndefined();
    expect(second.messages).toEqual([
      {
        asynchronous: true,
        httpMethod: 'POST',
        path: '/api/v2/write',
        headers: {},
        queryStringParameters: { precision: 'ms' },
        body: `${bad.join('\n')}\n`,
        isBase64Encoded: false,
        requestContext: { requestTimeEpoch: REQUEST_TIME, requestId: 'request-1' },
        rejectedLines: [
          expect.stringContaining("unable to parse 'm,t=1 v='"),
          expect.stringContaining("tag 'time': the name is reserved"),
          expect.stringContaining('the point has no tags'),
          expect.stringContaining("duplicate tag key 't'"),
          expect.stringContaining('too old'),
        ],
      },
    ]);
  });

  test('sends a message that can be replayed: only lines that are still invalid come back', async () => {
    const first = handler();
    await first.handle(await handedOver(`${LINES}\nbroken\nm v=1 5`));
    const [message] = first.messages;
    const second = handler();
    await second.handle({ ...message, body: String(message?.body).replace('broken', 'm,t=fixed v=1i 9') });
    expect(second.stored.map(({ dimensions }) => dimensions)).toEqual([['t=fixed']]);
    expect(second.messages.map(({ body }) => body)).toEqual(['m v=1 5\n']);
  });

  test('keeps every rejected line, but at most 100 reasons', async () => {
    const lines = Array.from({ length: 250 }, (_, n) => `m v=${n} ${n}`);
    const second = handler();
    await second.handle(await handedOver(lines.join('\n')));
    const [message] = second.messages;
    expect(message?.body).toBe(`${lines.join('\n')}\n`);
    expect(message?.rejectedLines).toHaveLength(100);
  });

  test.each([
    ['are too many', 'broken by nature\n'.repeat(90_000)],
    ['are too large in UTF-8', `m v="${'é'.repeat(30_000)}"\n`.repeat(20)],
    ['are too large in JSON', `m v="${'\u0001'.repeat(30_000)}"\n`.repeat(20)],
  ])('is kept as a whole if its rejected lines %s for a message', async (_, lines) => {
    const body = gzipSync(`m,t=1 v=1i 7\n${lines}`);
    const second = handler();
    await expect(second.handle(await handedOver(body))).rejects.toMatchObject({
      name: 'StorageUnavailableError',
      message: expect.stringContaining('RejectedLinesBucket'),
    });
    expect(second.stored).toHaveLength(1);
    expect(second.messages).toEqual([]);
  });
});
