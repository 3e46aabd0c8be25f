/** The functions and events of `sam local`, as far as they can be tested without Docker: the SAM CLI reads the template and generates events. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Context } from 'aws-lambda';
import { handlerOf } from '../support/connector-handler';
import { LAMBDA_CONTEXT } from '../support/lambda-context';
import { fixtureBytes } from '../support/loader';
import { findSam, NO_SAM } from '../support/ministack';
import { S3Double } from '../support/s3-double';
import { ScriptedServer } from '../support/scripted-server';
import { operationsWith } from '../unit/stack/template';
import { runPython } from './python';
import { describeProof, detail } from './report';

const run = promisify(execFile);
const ROOT = path.resolve(__dirname, '../..');
const SAM = findSam();
/** Functions whose bundles contain the code of the layer. */
const WITHOUT_LAYER = new Set(['AuthorizeTokenFunction', 'WriteLineProtocolFunction']);
const missing = SAM === undefined ? NO_SAM : undefined;

interface Local {
  readonly functions: Readonly<
    Record<string, { handler: string; code: string; layers: string[]; variables: Readonly<Record<string, string>> }>
  >;
  readonly routes: readonly (readonly [methods: readonly string[], path: string, name: string])[];
  readonly environment: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The function of each event in events/, by the beginning of the file's name; dead-letter messages are not events. */
function functionsOfEvents(names: readonly string[]): Map<string, string | undefined> {
  const folders = readdirSync(path.join(ROOT, 'functions')).sort((a, b) => b.length - a.length);
  const files = readdirSync(path.join(ROOT, 'events')).filter((file) => !/^(env|dead-letter)/.test(file));
  return new Map(
    files.map((file) => {
      const folder = folders.find((each) => file.startsWith(each)) ?? '';
      return [file, names.find((name) => name.toLowerCase() === `${folder.replaceAll('-', '')}function`)];
    }),
  );
}

describeProof('SAM CLI’s own code, without Docker', missing, () => {
  const environment = process.env;
  let local: Local;
  let s3: S3Double;
  let influxdb: ScriptedServer;
  let secrets: ScriptedServer;
  beforeAll(async () => {
    const python = path.join(path.dirname(realpathSync(SAM ?? '')), 'python');
    process.env = { ...environment, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
    [local] = (await runPython(python, 'sam_local.py', [], ROOT)) as [Local];
    s3 = await S3Double.start();
    influxdb = await ScriptedServer.start(({ path: url }) => ({
      status: url.endsWith('/write') ? 204 : 200,
      body: '',
    }));
    secrets = await ScriptedServer.start(() => ({ status: 200, body: '{"SecretString":"allow"}' }));
  });
  afterAll(async () => {
    process.env = environment;
    await Promise.all([s3.stop(), influxdb.stop(), secrets.stop()]);
  });

  /** Starts a function as `sam local` would, with these variables changed, and returns its handler. */
  async function start(name: string, variables: Readonly<Record<string, string>> = {}) {
    jest.resetModules();
    process.env = { ...local.functions[name]?.variables, ...variables };
    const file = path.relative(__dirname, path.join(local.functions[name]?.code ?? '', 'handler'));
    return ((await import(file)) as { handler: (event: unknown, context: Context) => Promise<unknown> }).handler;
  }

  const generated = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await run(SAM ?? '', ['local', 'generate-event', ...args], {
      cwd: ROOT,
      env: { ...environment, SAM_CLI_TELEMETRY: '0' },
    });
    return JSON.parse(stdout);
  };

  test('the local API routes each path of the connector to its function', () => {
    const paths = new Set(operationsWith().map(([, each]) => each));
    const found = local.routes.map(([, each, name]) => `${each} ${name}`);
    expect(found.sort()).toEqual([...paths].map((each) => `${each} WriteLineProtocolFunction`).sort());
    const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
    for (const [each] of local.routes) expect(each).toEqual(methods);
  });

  test('the file of environment variables names only functions and variables of the template', () => {
    const template = readFileSync(path.join(ROOT, 'template.yml'), 'utf8');
    for (const [name, variables] of Object.entries(local.environment)) {
      const declared = (variable: string): boolean =>
        Object.entries(local.functions).some(
          ([each, { variables: all }]) => (name === 'Parameters' || name === each) && variable in all,
        );
      expect(Object.keys(variables).filter((variable) => !declared(variable))).toEqual([]);
      if (name !== 'Parameters') expect(template).toContain(`\n  ${name}:\n`);
    }
  });

  test('every event belongs to a function', () => {
    const found = functionsOfEvents(Object.keys(local.functions));
    expect([...found].filter(([, name]) => name === undefined)).toEqual([]);
  });

  test('every function has its code and its layer, and starts with its variables', async () => {
    for (const [name, { handler, code, layers }] of Object.entries(local.functions)) {
      expect({ name, handler, layers }).toEqual({
        name,
        handler: 'handler.handler',
        layers: WITHOUT_LAYER.has(name) ? [] : [path.join(ROOT, 'layers/shared')],
      });
      expect(existsSync(path.join(code, 'handler.ts'))).toBe(true);
      expect(await start(name)).toBeInstanceOf(Function);
    }
  });

  test.each([
    ['aws-proxy', ['--path', 'api/v2/write', '--method', 'POST']],
    ['http-api-proxy', ['--path', 'api/v2/write', '--method', 'POST']],
  ])('the points of an event of `sam local generate-event apigateway %s` are stored', async (kind, options) => {
    const { handle, stored } = handlerOf();
    const event = await generated('apigateway', kind, ...options, '--body', 'm,t=a v=1 1709294400000000000');
    expect(await handle(event)).toMatchObject({ statusCode: 204 });
    expect(stored).toMatchObject([{ table: 'm', dimensions: ['t=a'] }]);
  });

  test('an event of `sam local generate-event apigateway request-authorizer` is authorized by its token', async () => {
    const handler = await start('AuthorizeTokenFunction', { AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url });
    const event = (await generated('apigateway', 'request-authorizer')) as { headers: Record<string, string> };
    await expect(handler(event, LAMBDA_CONTEXT)).rejects.toThrow('Unauthorized');
    const headers = { ...event.headers, Authorization: 'Token allow' };
    expect(await handler({ ...event, headers }, LAMBDA_CONTEXT)).toMatchObject({ principalId: 'token-1' });
  });

  test('events of `sam local generate-event s3 put`, also inside `sqs receive-message`, are loaded', async () => {
    const key = 'dataset=generation/file.parquet';
    s3.put('energy-data', key, fixtureBytes('codec-snappy'));
    const handler = await start('LoadObjectFunction', {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url,
      INFLUXDB_URL: influxdb.url,
    });
    const put = await generated('s3', 'put', '--bucket', 'energy-data', '--key', key);
    expect(await handler(put, LAMBDA_CONTEXT)).toMatchObject([{ statusCode: 200, data: { points_written: 300 } }]);
    // The command puts the body between quotes without escaping it.
    const body = JSON.stringify(JSON.stringify(put)).slice(1, -1);
    const message = await generated('sqs', 'receive-message', '--body', body);
    expect(await handler(message, LAMBDA_CONTEXT)).toEqual({ batchItemFailures: [] });
    expect(
      influxdb.requests
        .flatMap((request) => request.body.split('\n'))
        .filter((line) => line.startsWith('generation_data,')),
    ).toHaveLength(600);
  });

  afterAll(() =>
    detail(
      'Functions and events of `sam local`',
      ['function', 'events for `sam local invoke`', 'paths of `sam local start-api`'],
      Object.keys(local.functions).map((name) => [
        name,
        [...functionsOfEvents([name])].flatMap(([file, found]) => (found === name ? [`\`${file}\``] : [])).join(', '),
        local.routes
          .flatMap(([, each, to]) => (to === name ? [`\`${each}\``] : []))
          .sort()
          .join(', '),
      ]),
    ),
  );
});
