/** awsJson1.0 over HTTP: invalid requests, injected faults, and the end of the server. */
import { connect } from 'node:net';
import { QueryCommand } from '@aws-sdk/client-timestream-query';
import { WriteRecordsCommand } from '@aws-sdk/client-timestream-write';
import type { Fault } from '../../../local/timestream/server';
import {
  DATABASE,
  from,
  type Harness,
  makeTable,
  post,
  record,
  rejections,
  select,
  startHarness,
  writeRecords,
} from './harness';

let timestream: Harness;
let table: string;
let fault: Fault | undefined;
let seen: { operation: string; body: unknown }[];
/** Settles when the server has read the first write with a fault. */
let arrived: () => Promise<void>;

beforeEach(async () => {
  fault = undefined;
  seen = [];
  let note: (() => void) | undefined;
  const noted = new Promise<void>((resolve) => {
    note = resolve;
  });
  arrived = () => noted;
  timestream = await startHarness({
    intercept: (operation, body) => {
      seen.push({ operation, body });
      if (operation === 'WriteRecords' && fault) note?.();
      return operation === 'WriteRecords' ? fault : undefined;
    },
  });
  table = await makeTable(timestream);
});
afterEach(() => timestream.close());

const write = () => writeRecords(timestream, table, [record()]);
const count = async () => (await select(timestream, `SELECT count(*) FROM ${from(table)}`))[0]?.[0];

describe('a request', () => {
  test.each(['{', '', '[]', 'null', '"x"', '{"a":1,}'])('is refused if it is not a JSON object: %j', async (body) => {
    const { status, text } = await post(timestream, 'WriteRecords', body);
    expect(status).toBe(400);
    // An empty body is an empty object.
    expect(text).toMatch(body === '' ? /ValidationException/ : /SerializationException/);
  });

  test.each(['Unknown', 'toString', '__proto__', 'CreateBatchLoadTask'])(
    'for %s is an unknown operation',
    async (operation) => {
      const { status, text } = await post(timestream, operation, '{}');
      expect(status).toBe(400);
      expect(text).toContain('UnknownOperationException');
    },
  );

  test('without a target is an unknown operation', async () => {
    const response = await fetch(timestream.server.url);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('UnknownOperationException');
  });

  test('above 4 MB is refused', async () => {
    const body = JSON.stringify({ QueryString: 'x'.repeat(4 * 1024 * 1024) });
    const { status, text } = await post(timestream, 'Query', body);
    expect(status).toBe(413);
    expect(text).toContain('4194304 bytes');
  });

  test('that ends early does not stop the server', async () => {
    const socket = connect(timestream.server.port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"half');
    socket.destroy();
    await write();
    expect(await count()).toBe('1');
  });

  test('gets a JSON response with a request id', async () => {
    const { $metadata } = await write();
    expect($metadata.requestId).toMatch(/\S/);
    expect($metadata.httpStatusCode).toBe(200);
  });
});

describe('a fault', () => {
  test('receives the operation and its input', async () => {
    await write();
    expect(seen.at(-1)).toMatchObject({ operation: 'WriteRecords', body: { TableName: table, Records: [{}] } });
  });

  test('returns an error with type, status, headers and further members', async () => {
    fault = { kind: 'error', type: 'ThrottlingException', message: 'slow down', headers: { 'Retry-After': '7' } };
    const error = await write().catch((reason: Error) => reason);
    expect(error).toMatchObject({
      name: 'ThrottlingException',
      message: 'slow down',
      $metadata: { httpStatusCode: 429 },
      $response: { headers: { 'retry-after': '7' } },
    });
    fault = { kind: 'error', type: 'InternalServerException', status: 503 };
    await expect(write()).rejects.toMatchObject({
      name: 'InternalServerException',
      $metadata: { httpStatusCode: 503 },
    });
    fault = { kind: 'error', type: 'RejectedRecordsException', extra: { RejectedRecords: [{ RecordIndex: 3 }] } };
    expect(await rejections(write())).toEqual([{ RecordIndex: 3 }]);
    expect(await count()).toBe('0');
  });

  test('returns an error after the request was carried out', async () => {
    fault = { kind: 'error', type: 'InternalServerException', when: 'after' };
    await expect(write()).rejects.toMatchObject({ name: 'InternalServerException' });
    expect(await count()).toBe('1');
  });

  test.each([
    ['before', '0'],
    ['after', '1'],
  ] as const)('drops the connection %s the request is carried out', async (when, stored) => {
    fault = { kind: 'drop', when };
    await expect(write()).rejects.toThrow('socket hang up');
    expect(await count()).toBe(stored);
  });

  test('delays the response until a promise settles', async () => {
    let release: (() => void) | undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    fault = { kind: 'delay', until };
    const response = write();
    await arrived();
    expect(await count()).toBe('0');
    release?.();
    await response;
    expect(await count()).toBe('1');
  });

  test('delays the response by a time', async () => {
    fault = { kind: 'delay', until: 1 };
    await write();
    expect(await count()).toBe('1');
  });

  test('leaves a request without a response', async () => {
    fault = { kind: 'hang' };
    const abort = new AbortController();
    const response = timestream.write.send(
      new WriteRecordsCommand({
        DatabaseName: DATABASE,
        TableName: table,
        Records: [record()],
      }),
      { abortSignal: abort.signal },
    );
    await arrived();
    expect(await count()).toBe('0');
    abort.abort();
    await expect(response).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('close', () => {
  test('ends keep-alive connections and hanging requests', async () => {
    await write();
    fault = { kind: 'hang' };
    const hanging = write();
    const settled = expect(hanging).rejects.toThrow('socket hang up');
    await arrived();
    await timestream.server.close();
    await settled;
    await timestream.server.close();
    await expect(timestream.query.send(new QueryCommand({ QueryString: 'SELECT 1' }))).rejects.toThrow('ECONNREFUSED');
  });

  test('ends a delay', async () => {
    fault = { kind: 'delay', until: 3_600_000 };
    const response = write().catch((error: Error) => error);
    await arrived();
    await timestream.server.close();
    await response;
  });
});

test('a second server on the same port is refused', async () => {
  await expect(startHarness({ port: timestream.server.port })).rejects.toThrow('EADDRINUSE');
});
