/** The results that the authorizer returns to API Gateway. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAuthorizerConfig } from 'shared/config';
import { TokenVerifier } from 'shared/tokens/verifier';
import { createAuthorizer } from '../../../functions/authorize-token/authorize';
import { recordingLogger } from '../../support/influx-writing';

const EVENT = JSON.parse(readFileSync(join(__dirname, '../../../events/authorize-token.json'), 'utf8'));
const SECRET = '{"tokens":[{"token":"example-token","name":"telegraf","buckets":["my-bucket"]},{"token":"other"}]}';

function authorizerOf(fetchSecret = () => Promise.resolve(SECRET)) {
  const logger = { ...recordingLogger(), addContext: () => undefined, appendKeys: () => undefined };
  return { authorize: createAuthorizer(new TokenVerifier(fetchSecret, logger), logger), logger };
}
const { authorize } = authorizerOf();

test('authorizes a token for the whole stage, with its name and scope', async () => {
  expect(await authorize(EVENT)).toEqual({
    principalId: 'telegraf',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Effect: 'Allow',
          Resource: 'arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/dev/*',
        },
      ],
    },
    context: { buckets: '["my-bucket"]' },
  });
});

const basic = (text: string): string => Buffer.from(text).toString('base64');

test.each([
  [{ headers: { authorization: 'Bearer other' } }],
  [{ headers: { AUTHORIZATION: `bAsIc ${basic('any user:other')}` } }],
  [{ resource: '/write', headers: null, queryStringParameters: { u: 'any', p: 'other' } }],
  [{ resource: '/ping', headers: { Authorization: 'Token wrong' }, queryStringParameters: { p: 'other' } }],
])('authorizes a token without scope with %j', async (changes) => {
  expect(await authorize({ ...EVENT, ...changes })).toMatchObject({ principalId: 'token-2', context: {} });
});

test.each([
  [{ headers: {} }],
  [{ headers: null, queryStringParameters: null }],
  [{ headers: { Authorization: 'Token wrong' } }],
  [{ headers: { Authorization: 'other' } }],
  [{ headers: { Authorization: 'Digest other' } }],
  [{ headers: { Authorization: `Basic ${basic('other:wrong')}` } }],
  [{ headers: { Authorization: `Basic ${basic('other')}` } }],
  [{ headers: { 'X-Authorization': 'Token other' } }],
  [{ headers: {}, queryStringParameters: { u: 'other', token: 'other' } }],
  // API Gateway caches results by the header for this path, and would then authorize the wrong token.
  [{ headers: { Authorization: 'Token wrong' }, queryStringParameters: { u: 'any', p: 'other' } }],
  [{ headers: null, queryStringParameters: { u: 'any', p: 'other' } }],
])(
  '%j is refused with the message that API Gateway turns into 401, without a stack and without a log entry',
  async (changes) => {
    const { authorize: refuse, logger } = authorizerOf();
    await expect(refuse({ ...EVENT, ...changes })).rejects.toMatchObject({
      name: 'Error',
      message: 'Unauthorized',
      stack: 'Error: Unauthorized',
    });
    expect(logger.entries).toEqual([]);
  },
);

test('fails with another error, without details of the request, if the tokens cannot be read', async () => {
  const { authorize: fail, logger } = authorizerOf(() => Promise.reject(new Error('AccessDenied')));
  await expect(fail(EVENT)).rejects.toMatchObject({
    name: 'TokensUnavailableError',
    stack: expect.stringMatching(/^TokensUnavailableError: [^\n]*$/),
  });
  expect(logger.entries).toHaveLength(2);
  expect(JSON.stringify(logger.entries)).not.toContain('example-token');
});

test.each([null, 'text', {}, { methodArn: { toString: 7 } }, { methodArn: 'arn:aws:lambda:x:1:f/dev/GET/' }])(
  'refuses the event %j with InvalidEventError, without a stack',
  async (event) => {
    const stack = expect.stringMatching(/^InvalidEventError: [^\n]*$/);
    await expect(authorize(event)).rejects.toMatchObject({ name: 'InvalidEventError', stack });
  },
);

test('the configuration needs only the name of the secret', () => {
  expect(loadAuthorizerConfig({ token_secret_name: 's' })).toEqual({ tokenSecretName: 's', logLevel: 'INFO' });
  expect(() => loadAuthorizerConfig({})).toThrow('token_secret_name is missing');
});
