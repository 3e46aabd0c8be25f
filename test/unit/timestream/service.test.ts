/** What an answer of WriteRecords means for the records that were sent. */
import { readResponse } from 'shared/timestream/service';
import { answer } from '../../support/timestream-model';

const rejections = (...RejectedRecords: unknown[]) => answer(419, 'RejectedRecordsException', { RejectedRecords });

test('200: all are stored', () => {
  expect(readResponse({ status: 200, body: Buffer.from('{}') }, 3)).toEqual({ kind: 'stored' });
});

test('rejected records, with the version in their place where there is one', () => {
  const given = rejections({ RecordIndex: 0, Reason: 'late' }, { RecordIndex: 2, Reason: 'old', ExistingVersion: 7 });
  expect(readResponse(given, 3)).toEqual({
    kind: 'rejected',
    records: [
      { index: 0, reason: 'late', existingVersion: undefined },
      { index: 2, reason: 'old', existingVersion: 7 },
    ],
  });
});

test('a rejection without an index is of the first record, one without a reason still counts', () => {
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
])('after rejections of which one names no record of the call (%j) no record counts as stored', (list) => {
  expect(
    readResponse(answer(419, 'RejectedRecordsException', { RejectedRecords: list, message: 'm' }), 3),
  ).toMatchObject({
    kind: 'transient',
    throttled: false,
    code: 'RejectedRecordsException',
    reason: 'rejections that name no record of the call: m',
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
])('%i %s', (status, type, expected) => {
  expect(readResponse(answer(status, type, { message: 'why' }), 1)).toEqual(expected);
  // The type stands with or without a namespace, the text under either name.
  const plain = Buffer.from(JSON.stringify({ __type: type, Message: 'why' }));
  expect(readResponse({ status, body: plain }, 1)).toEqual(expected);
});

test.each([500, 502, 503, 504])('%i of a proxy, whatever its body', (status) => {
  for (const text of ['<html>', '', 'null', '[]', '{"__type":7}']) {
    expect(readResponse({ status, body: Buffer.from(text) }, 1)).toMatchObject({ kind: 'transient', throttled: false });
  }
});

test('429 is throttling', () => {
  expect(readResponse({ status: 429, body: Buffer.of() }, 1)).toMatchObject({ kind: 'transient', throttled: true });
});
