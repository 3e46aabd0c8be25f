/** For any request: only an accepted token authorizes it, in every form that clients use, and all errors have a known type. */
import fc from 'fast-check';
import { InvalidEventError } from 'shared/errors';
import { acceptedTokens } from 'shared/tokens/accepted';
import type { CredentialSource } from 'shared/tokens/presented';
import { scopeContext, scopeOf } from 'shared/tokens/scope';
import { TokenVerifier } from 'shared/tokens/verifier';
import { createAuthorizer } from '../../functions/authorize-token/authorize';
import { recordingLogger } from '../support/influx-writing';

const printable = fc.string({
  minLength: 1,
  maxLength: 40,
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.base64String(),
);
const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) =>
      [...text].map((character, index) => (upper[index] ? character.toUpperCase() : character.toLowerCase())).join(''),
    );
const space = fc.string({ unit: fc.constantFrom(' ', '\t'), minLength: 1, maxLength: 5 });

/** Headers that begin with one of the schemes, and any others. */
const anyHeader = fc.oneof(
  anyText,
  fc
    .tuple(fc.constantFrom('Token', 'Bearer', 'Basic', 'token', 'AWS4-HMAC-SHA256'), anyText)
    .map((parts) => parts.join(' ')),
  fc.string({ unit: 'binary' }).map((text) => `Basic ${Buffer.from(text).toString('base64')}`),
);
const anyQuery = fc.dictionary(
  fc.oneof(fc.constantFrom('u', 'p', 'bucket'), anyText),
  fc.oneof(anyText, fc.anything()),
);
const anyRequest: fc.Arbitrary<CredentialSource> = fc.oneof(
  fc.record({
    headers: anyHeader.map((Authorization) => ({ Authorization })),
    queryStringParameters: fc.option(anyQuery),
  }),
  fc.record({ headers: fc.anything(), queryStringParameters: fc.anything() }) as fc.Arbitrary<CredentialSource>,
);

/** A request that presents the token in one of the forms, with any other content. */
const requestWith = (token: string): fc.Arbitrary<CredentialSource> => {
  const scheme = (name: string, credentials: string) =>
    fc
      .tuple(anyCase(name), space, fc.option(space, { nil: '' }))
      .map(([word, gap, end]) => `${end}${word}${gap}${credentials}${end}`);
  const user = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(':', ''));
  const header = fc.oneof(
    scheme('token', token),
    scheme('bearer', token),
    user.chain((name) => scheme('basic', Buffer.from(`${name}:${token}`).toString('base64'))),
  );
  const inHeader = fc.record({
    headers: fc.tuple(anyCase('authorization'), header).map(([name, value]) => ({ [name]: value })),
    queryStringParameters: fc.option(anyQuery),
  });
  const inQuery = fc.record({
    headers: fc.option(anyHeader.map((Authorization) => ({ Authorization }))),
    queryStringParameters: anyQuery.map((query) => ({ ...query, p: token })),
  });
  return fc.oneof(inHeader, inQuery);
};

const verifierOf = (...tokens: string[]): TokenVerifier => {
  const secret = JSON.stringify({ tokens: tokens.map((token) => ({ token })) });
  return new TokenVerifier(() => Promise.resolve(secret), recordingLogger());
};

test('authorizes a request with any of the accepted tokens, with any other content', async () => {
  const cases = fc
    .uniqueArray(printable, { minLength: 1, maxLength: 4 })
    .chain((tokens) => fc.tuple(fc.constant(tokens), fc.constantFrom(...tokens).chain(requestWith)));
  await fc.assert(
    fc.asyncProperty(cases, async ([tokens, request]) => {
      expect(await verifierOf(...tokens).verify(request)).toBeDefined();
    }),
    { numRuns: 500 },
  );
});

test('does not authorize a request without an accepted token, also with another token in a valid form', async () => {
  const token = 'mJ4-right-token-9xQ==';
  const verifier = verifierOf(token);
  const others = fc.oneof(
    printable,
    fc.constantFrom('mJ4-right-token-9xQ', 'MJ4-RIGHT-TOKEN-9XQ==', 'mJ4-right-token-9xQ==='),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyRequest, others.chain(requestWith)), async (request) => {
      expect(await verifier.verify(request)).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});

test('does not authorize a request with a part of the token or a longer text', async () => {
  const nearly = printable.chain((token) =>
    fc
      .oneof(
        fc.nat(token.length - 1).map((end) => token.slice(0, end)),
        printable.map((more) => token + more),
        printable.map((more) => more + token),
        fc
          .nat(token.length - 1)
          .map(
            (at) => token.slice(0, at) + String.fromCharCode((token.charCodeAt(at) % 93) + 0x22) + token.slice(at + 1),
          ),
      )
      .filter((wrong) => wrong !== token)
      .map((wrong) => [token, wrong] as const),
  );
  await fc.assert(
    fc.asyncProperty(nearly, async ([token, wrong]) => {
      const verifier = verifierOf(token);
      for (const headers of [
        { authorization: `Token ${wrong}` },
        { authorization: `Basic ${Buffer.from(`u:${wrong}`).toString('base64')}` },
      ]) {
        expect(await verifier.verify({ headers })).toBeUndefined();
      }
      expect(await verifier.verify({ queryStringParameters: { u: token, p: wrong } })).toBeUndefined();
    }),
  );
});

test('the authorizer fails any event without a token with one of its two errors', async () => {
  const logger = { ...recordingLogger(), addContext: () => undefined, appendKeys: () => undefined };
  const authorize = createAuthorizer(verifierOf('mJ4-right-token-9xQ=='), logger);
  const methodArn = fc.oneof(
    fc.constant('arn:aws:execute-api:us-east-1:123456789012:a1/dev/POST/write'),
    fc.anything(),
  );
  const anyEvent = fc.oneof(
    fc.tuple(anyRequest, methodArn).map(([request, arn]) => ({ ...request, methodArn: arn })),
    fc.anything(),
  );
  await fc.assert(
    fc.asyncProperty(anyEvent, async (event) => {
      const error: unknown = await authorize(event).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(['Error: Unauthorized', 'InvalidEventError']).toContain(
        error instanceof InvalidEventError ? error.name : String(error),
      );
    }),
    { numRuns: 1_000 },
  );
  expect(logger.entries).toEqual([]);
});

test('reads tokens from any secret or throws a ConfigurationError', () => {
  const anySecret = fc.oneof(
    anyText,
    fc.json(),
    fc.json().map((json) => `{"tokens":${json}}`),
    fc.json().map((json) => `{"token":${json}}`),
  );
  fc.assert(
    fc.property(anySecret, (secret) => {
      try {
        expect(acceptedTokens(secret).length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ name: 'ConfigurationError' });
      }
    }),
    { numRuns: 1_000 },
  );
});

const anyContext = fc.record({ buckets: fc.anything(), orgs: fc.anything() });

test('restores a scope from the context of API Gateway; any other context gives no scope or an InvalidEventError', () => {
  const list = fc.option(fc.array(fc.string({ unit: 'binary' })), { nil: undefined });
  fc.assert(
    fc.property(fc.record({ buckets: list, orgs: list }), (scope) => {
      expect(scopeOf(scopeContext(scope))).toEqual(scope);
      expect(scopeOf({ lambda: scopeContext(scope) })).toEqual(scope);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(anyContext, fc.record({ lambda: fc.oneof(anyContext, fc.anything()) })), (context) => {
      try {
        for (const names of Object.values(scopeOf(context))) expect(names ?? []).toEqual(expect.any(Array));
      } catch (error) {
        expect(error).toMatchObject({ name: 'InvalidEventError' });
      }
    }),
  );
});
