/** The stack, built by SAM and deployed to MiniStack, an emulator of AWS that runs the functions and the workflow on this machine. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { AwsCredentialIdentity } from '@smithy/types';
import { template } from '../unit/stack/template';
import { freePort } from './influxd';

const run = promisify(execFile);
const ROOT = resolve(__dirname, '../..');
export const STACK = 'Tested';
const REGION = 'us-east-1';
/** MiniStack's administrator. */
const KEY = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Maximum time to wait for something on a MiniStack, ms; a load takes 5 s on an idle machine. */
const WAITING_MS = 120_000;

/** Repeats a query until its result is the expected one. */
export async function until<T>(query: () => Promise<T>, isExpected: (result: T) => boolean): Promise<T> {
  const end = Date.now() + WAITING_MS;
  for (;;) {
    const result = await query();
    if (isExpected(result)) return result;
    if (Date.now() > end) throw new Error(`not after ${WAITING_MS} ms: ${JSON.stringify(result)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Installs MiniStack at the first use on a machine, and starts it. */
const UP = join(ROOT, 'test/tools/ministack/up.sh');

export const NO_SAM = 'no sam on PATH: pip install aws-sam-cli==1.170.0';

/** Why the stack cannot be deployed on this machine; undefined if it can. */
export function missingForStack(): string | undefined {
  return findSam() === undefined ? NO_SAM : missingMiniStack();
}

/** Why MiniStack cannot run on this machine; undefined if it can. */
export function missingMiniStack(): string | undefined {
  if (spawnSync(UP, ['install'], { stdio: 'ignore' }).status === 0) return undefined;
  return 'MiniStack cannot be installed: `test/tools/ministack/up.sh install` says why';
}

/** The SAM CLI on PATH. */
export function findSam(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'sam')).find((file) => existsSync(file));
}

/** The environment of programs that call a MiniStack, or start one in this folder. */
function environmentOf(home: string, endpoint?: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    MINISTACK_HOME: home,
    // MiniStack unpacks the functions there.
    TMPDIR: home,
    // Requests must be signed, and the functions' roles must allow their calls.
    AUTH: 'true',
    // Retries of the workflow wait a hundredth of the real time.
    SFN_WAIT_SCALE: '0.01',
    SAM_CLI_TELEMETRY: '0',
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

export class MiniStack {
  private outputs: ReadonlyMap<string, string> = new Map();

  private constructor(
    private readonly home: string,
    private readonly endpoint: string,
  ) {}

  /** @param environment variables of the emulator and of the functions that it runs */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<MiniStack> {
    // A separate folder, because it stores its process id there.
    const home = mkdtempSync(join(tmpdir(), 'ministack-'));
    const env = { ...environmentOf(home), ...environment };
    const { stdout } = await run(UP, [String(await freePort())], { env });
    return new MiniStack(home, stdout.trim());
  }

  /** The configuration of an SDK client. */
  get client() {
    return { endpoint: this.endpoint, region: REGION, credentials: KEY };
  }

  /** The variables of a program that calls the emulator. */
  get variables(): Readonly<Record<string, string>> {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
    };
  }

  /** Builds the stack at the first call, and deploys it with these parameters and defaults for the others. */
  async deploy(parameters: Readonly<Record<string, string>>): Promise<void> {
    const PATH = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env.PATH}`;
    const options = {
      cwd: ROOT,
      env: { ...environmentOf(this.home, this.endpoint), PATH },
      maxBuffer: 64 * 1024 * 1024,
    };
    const build = join(this.home, 'build');
    if (!existsSync(build)) {
      await run('node', ['scripts/bundle.mjs'], options);
      await run('sam', ['build', '--build-dir', build], options);
    }
    // An update would keep the previous values of parameters that it does not name.
    const overrides = Object.entries(template.Parameters).map(
      ([name, { Default }]) => `${name}="${parameters[name] ?? Default}"`,
    );
    const where = ['-t', join(build, 'template.yaml'), '--config-file', join(ROOT, 'samconfig.toml')];
    const how = ['--stack-name', STACK, '--no-confirm-changeset', '--parameter-overrides', ...overrides];
    await run('sam', ['deploy', ...where, ...how], options);
    const cloudFormation = new CloudFormationClient(this.client);
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: STACK }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    this.outputs = new Map(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
  }

  output(name: string): string {
    const value = this.outputs.get(name);
    if (value === undefined) throw new Error(`the stack has no output ${name}`);
    return value;
  }

  /** The URL of the stack's API, with its stage. */
  get apiUrl(): string {
    const [, api, stage] = /^https:\/\/(\w+)\.execute-api\.[^/]+\/(\w+)$/.exec(this.output('Endpoint')) ?? [];
    return `${this.endpoint}/_aws/execute-api/${api}/${stage}`;
  }

  /** Sends a signed request to the stack's API; the body is JSON or text. */
  request(
    method: 'GET' | 'HEAD' | 'POST',
    path: string,
    body?: object | string,
    key: AwsCredentialIdentity = KEY,
  ): Promise<Response> {
    const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
    return signedFetch('execute-api', method, new URL(this.apiUrl + path), { 'content-type': type }, body, key);
  }

  /** Calls an operation of EventBridge without an SDK client; returns its JSON. */
  eventBridge(operation: string, input: object): Promise<Record<string, unknown>> {
    return this.call('events', `AWSEvents.${operation}`, input);
  }

  /** The messages in a log group, oldest first. */
  async logMessages(logGroupName: string): Promise<string[]> {
    const { events } = await this.call('logs', 'Logs_20140328.FilterLogEvents', { logGroupName });
    return (events as { readonly message: string }[]).map(({ message }) => message);
  }

  private async call(service: string, target: string, input: object): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    const response = await signedFetch(service, 'POST', new URL('/', this.endpoint), headers, input);
    if (!response.ok) throw new Error(`${target}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  stop(): void {
    const pid = join(this.home, 'pid');
    if (existsSync(pid)) execFileSync('kill', [readFileSync(pid, 'utf8').trim()]);
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Source: "Create a signed AWS API request" in the IAM user guide. */
function signedFetch(
  service: string,
  method: string,
  url: URL,
  given: Readonly<Record<string, string>>,
  body: object | string = '',
  { accessKeyId, secretAccessKey }: AwsCredentialIdentity = KEY,
): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
  const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
  const time = new Date().toISOString().replace(/[:-]|\.\d+/g, '');
  const scope = [time.slice(0, 8), REGION, service, 'aws4_request'];
  const headers = { ...given, host: url.host, 'x-amz-content-sha256': sha256(text), 'x-amz-date': time };
  const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = sorted.map(([name]) => name).join(';');
  const lines = sorted.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = [method, url.pathname, '', lines, names, sha256(text)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n')).toString(
    'hex',
  );
  const credential = `${accessKeyId}/${scope.join('/')}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return fetch(url, { method, headers: { ...headers, authorization }, ...(text !== '' && { body: text }) });
}
