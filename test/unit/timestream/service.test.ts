/** The meaning of WriteRecords responses for the records of a call. */
import { readResponse } from 'shared/timestream/service';
import { answer } from '../../support/timestream-model';

const rejections = (...RejectedRecords: unknown[]) => answer(419, 'RejectedRecordsException', { RejectedRecords });

test('status 200 means that all records are stored', () => {
  expect(readResponse({ status: 200, body: Buffer.from('{}') }, 3)).toEqual({ kind: 'stored' });
});

test('reads the rejected records and the existing version, if there is one', () => {
  const given = rejections({ RecordIndex: 0, Reason: 'late' }, { RecordIndex: 2, Reason: 'old', ExistingVersion: 7 });
  expect(readResponse(given, 3)).toEqual({
    kind: 'rejected',
    records: [
      { index: 0, reason: 'late', existingVersion: undefined },
      { index: 2, reason: 'old', existingVersion: 7 },
    ],
  });
});

test('a rejection without an index means the first record; a rejection without a reason counts', () => {
  expect(readResponse(rejections({}), 1)).toMatchObject({ kind: 'rejected', records: [{ index: 0 }] });
});

test.each([
  [[]],
  [[{ RecordIndex: 3, Reason: 'x' }]],
  [
    [
      { RecordIndex: 0, Reason: 'x' },
      { RecordIndex: 3, Reason: 'x' },
    ],
  ],
  [[{ RecordIndex: -1 }]],
  [[{ RecordIndex: 1.5 }]],
  [['text']],
  [[null]],
  ['text'],
])('counts no record as stored if a rejection does not match a record of the call: %j', (list) => {
  expect(
    readResponse(answer(419, 'RejectedRecordsException', { RejectedRecords: list, message: 'm' }), 3),
  ).toMatchObject({
    kind: 'transient',
    throttled: false,
    code: 'RejectedRecordsException',
    reason: 'the rejections do not match the records of the call: m',
  });
});

test.each([
  [404, 'ResourceNotFoundException', { kind: 'missing-table' }],
  [400, 'ValidationException', { kind: 'invalid', reason: 'why' }],
  [
    400,
    'ThrottlingException',
    { kind: 'transient', code: 'ThrottlingException', throttled: true, connectionLost: false, reason: 'why' },
  ],
  [
    500,
    'InternalServerException',
    { kind: 'transient', code: 'InternalServerException', throttled: false, connectionLost: false, reason: 'why' },
  ],
  [
    400,
    'InternalServerException',
    { kind: 'transient', code: 'InternalServerException', throttled: false, connectionLost: false, reason: 'why' },
  ],
  [
    403,
    'AccessDeniedException',
    { kind: 'refused', code: 'AccessDeniedException', reason: 'AccessDeniedException: why' },
  ],
  [
    402,
    'ServiceQuotaExceededException',
    { kind: 'refused', code: 'ServiceQuotaExceededException', reason: 'ServiceQuotaExceededException: why' },
  ],
  [
    421,
    'InvalidEndpointException',
    { kind: 'refused', code: 'InvalidEndpointException', reason: 'InvalidEndpointException: why' },
  ],
])('reads the error %i %s', (status, type, expected) => {
  expect(readResponse(answer(status, type, { message: 'why' }), 1)).toEqual(expected);
  // The type may have a namespace, and the message has one of two names.
  const plain = Buffer.from(JSON.stringify({ __type: type, Message: 'why' }));
  expect(readResponse({ status, body: plain }, 1)).toEqual(expected);
});

test.each([500, 502, 503, 504])('reads a %i of a proxy as transient, with any body', (status) => {
  for (const text of ['<html>', '', 'null', '[]', '{"__type":7}']) {
    expect(readResponse({ status, body: Buffer.from(text) }, 1)).toMatchObject({ kind: 'transient', throttled: false });
  }
});

test('reads status 429 as throttling', () => {
  expect(readResponse({ status: 429, body: Buffer.of() }, 1)).toMatchObject({ kind: 'transient', throttled: true });
});
