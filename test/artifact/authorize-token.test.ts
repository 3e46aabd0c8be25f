/** The authorizer and the layer, built by `sam build`, outside of the repository, with the sample event. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LambdaRuntime } from '../support/lambda-runtime';
import { ScriptedServer } from '../support/scripted-server';

const ROOT = path.resolve(__dirname, '../..');
const BUILD = path.join(ROOT, '.aws-sam/build');
const EVENT = JSON.parse(readFileSync(path.join(ROOT, 'events/authorize-token.json'), 'utf8')) as object;
const SECRET = '{"tokens":[{"token":"example-token","name":"telegraf"}]}';

if (existsSync(path.join(BUILD, 'AuthorizeTokenFunction'))) {
  describe('the built authorizer', () => {
    let folder: string;
    let secrets: ScriptedServer;
    let runtime: LambdaRuntime;
    let response: { status: number; body: string };

    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'lambda-'));
      cpSync(path.join(BUILD, 'AuthorizeTokenFunction'), path.join(folder, 'task'), { recursive: true });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    beforeEach(async () => {
      response = { status: 200, body: JSON.stringify({ SecretString: SECRET }) };
      secrets = await ScriptedServer.start(() => response);
      const environment = { AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url, token_secret_name: 'connector/tokens' };
      runtime = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
    });
    afterEach(async () => {
      await runtime.stop();
      await secrets.stop();
    });

    test('authorizes the sample event, and reads the named secret once', async () => {
      const allowed = { result: expect.objectContaining({ principalId: 'telegraf', context: {} }) };
      expect(await runtime.invoke(EVENT)).toEqual(allowed);
      expect(await runtime.invoke(EVENT)).toEqual(allowed);
      expect(secrets.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
        { SecretId: 'connector/tokens' },
      ]);
    });

    test('refuses a wrong token with the error that API Gateway turns into 401, and logs no token', async () => {
      const outcome = await runtime.invoke({ ...EVENT, headers: { Authorization: 'Token wrong-token' } });
      expect(outcome).toMatchObject({ error: { errorType: 'Error', errorMessage: 'Unauthorized' } });
      await runtime.invoke({ ...EVENT, headers: {}, queryStringParameters: { u: 'me', p: 'wrong-token' } });
      expect(runtime.log + JSON.stringify(outcome)).not.toMatch(/wrong-token|example-token/);
    });

    test('fails with another error without its secret, and logs the reason', async () => {
      response = { status: 400, body: '{"__type":"ResourceNotFoundException","message":"no such secret"}' };
      expect(await runtime.invoke(EVENT)).toMatchObject({ error: { errorType: 'TokensUnavailableError' } });
      expect(runtime.log).toContain('no such secret');
      expect(runtime.log).not.toContain('example-token');
    });
  });
} else {
  test.skip('the built authorizer: .aws-sam/build is missing (run npm run build)', () => undefined);
}
