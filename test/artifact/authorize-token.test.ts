/** The authorizer and the layer as `sam build` made them, outside of the repository, with the sample event. */
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
    let answer: { status: number; body: string };

    beforeAll(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'lambda-'));
      cpSync(path.join(BUILD, 'AuthorizeTokenFunction'), path.join(folder, 'task'), { recursive: true });
      cpSync(path.join(BUILD, 'SharedLayer'), path.join(folder, 'opt'), { recursive: true });
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    beforeEach(async () => {
      answer = { status: 200, body: JSON.stringify({ SecretString: SECRET }) };
      secrets = await ScriptedServer.start(() => answer);
      const environment = { AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url, token_secret_name: 'connector/tokens' };
      runtime = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
    });
    afterEach(async () => {
      await runtime.stop();
      await secrets.stop();
    });

    test('lets the sample event in, by one reading of the named secret', async () => {
      const allowed = { result: expect.objectContaining({ principalId: 'telegraf', context: {} }) };
      expect(await runtime.invoke(EVENT)).toEqual(allowed);
      expect(await runtime.invoke(EVENT)).toEqual(allowed);
      expect(secrets.requests.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
        { SecretId: 'connector/tokens' },
      ]);
    });

    test("refuses a wrong token by the error that is API Gateway's 401, and logs no token", async () => {
      const outcome = await runtime.invoke({ ...EVENT, headers: { Authorization: 'Token wrong-token' } });
      expect(outcome).toMatchObject({ error: { errorType: 'Error', errorMessage: 'Unauthorized' } });
      await runtime.invoke({ ...EVENT, headers: {}, queryStringParameters: { u: 'me', p: 'wrong-token' } });
      expect(runtime.log + JSON.stringify(outcome)).not.toMatch(/wrong-token|example-token/);
    });

    test('without its secret fails by another error, and logs why', async () => {
      answer = { status: 400, body: '{"__type":"ResourceNotFoundException","message":"no such secret"}' };
      expect(await runtime.invoke(EVENT)).toMatchObject({ error: { errorType: 'TokensUnavailableError' } });
      expect(runtime.log).toContain('no such secret');
      expect(runtime.log).not.toContain('example-token');
    });
  });
} else {
  test.skip('the authorizer as built: .aws-sam/build is not here (npm run build makes it)', () => undefined);
}
