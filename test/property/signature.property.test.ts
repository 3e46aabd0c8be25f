/** The signatures of write calls equal those of the SDK. */
import { TimestreamWriteClient } from '@aws-sdk/client-timestream-write';
import fc from 'fast-check';
import { Signer } from '../../functions/write-line-protocol/signature';

const text = fc.string({ unit: fc.constantFrom(...'abcXYZ0189/+='), minLength: 16, maxLength: 40 });
const credentials = fc.record({
  accessKeyId: text,
  secretAccessKey: text,
  sessionToken: fc.option(text, { nil: undefined }),
});
const minute = fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });

test('signs with the same headers as the SDK for any body, credentials and time', async () => {
  const signer = new Signer('eu-west-1', 'timestream');
  const headers = {
    host: 'example.com:8443',
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'T.Write',
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(credentials, minute), { minLength: 1, maxLength: 3 }),
      async (bodies, uses) => {
        for (const [keys, time] of uses) {
          const { sessionToken, ...required } = keys;
          const client = new TimestreamWriteClient({
            region: 'eu-west-1',
            credentials: sessionToken === undefined ? required : { ...required, sessionToken },
          });
          const sdkSigner = await client.config.signer();
          for (const body of bodies) {
            const { headers: expected } = await sdkSigner.sign(
              { method: 'POST', protocol: 'https:', hostname: 'example.com', path: '/', query: {}, headers, body },
              { signingDate: time },
            );
            // What the requests of a second share is kept, for the same headers and credentials.
            expect(signer.sign(headers, body, keys, time)).toEqual(expected);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});
