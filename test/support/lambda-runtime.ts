/**
 * A Lambda-like runtime: a process with the function's folder and the layer at Lambda's places, and the Runtime API that sends events
 * to it. Source: "Using the Lambda runtime API" in the AWS Lambda developer guide.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export interface RuntimeOptions {
  /** A folder with the function as `task` and the layer as `opt`. */
  readonly folder: string;
  /** `file.export` */
  readonly handler: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The outcome of an invocation: the result, or the error that Lambda would report. */
export type Outcome =
  | { readonly result: unknown }
  | { readonly error: { readonly errorType: string; readonly errorMessage: string } };

interface Invocation {
  readonly event: unknown;
  readonly settle: (outcome: Outcome) => void;
}

const TIMEOUT_MS = 30_000;

export class LambdaRuntime {
  /** The function's log. */
  log = '';
  private readonly server: Server;
  private readonly queue: Invocation[] = [];
  private readonly running = new Map<string, Invocation>();
  private waiting: ServerResponse | undefined;
  private process: ChildProcess | undefined;
  private failedToStart: Outcome | undefined;
  private invocations = 0;

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async start(options: RuntimeOptions): Promise<LambdaRuntime> {
    const runtime = new LambdaRuntime();
    runtime.server.listen(0, '127.0.0.1');
    await once(runtime.server, 'listening');
    runtime.run(options);
    return runtime;
  }

  private run({ folder, handler, environment }: RuntimeOptions): void {
    const { port } = this.server.address() as AddressInfo;
    const task = path.join(folder, 'task');
    const child = spawn(process.env.NODE24 ?? process.execPath, [path.join(__dirname, 'lambda-bootstrap.cjs')], {
      cwd: task,
      // No variables of this process: a function sees only those of Lambda and its template.
      env: {
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
        AWS_LAMBDA_FUNCTION_NAME: 'connector',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'key',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_SESSION_TOKEN: 'session',
        LAMBDA_TASK_ROOT: task,
        NODE_PATH: path.join(folder, 'opt/nodejs/node_modules'),
        _HANDLER: handler,
        // On a Node older than Lambda's, the SDK prints a warning (of type Warning; Node's own warnings have other types).
        NODE_OPTIONS: '--disable-warning=Warning',
        ...environment,
      },
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (this.log += String(text)));
    child.once('exit', (code) => this.end({ errorType: 'Runtime.ExitError', errorMessage: `exit status ${code}` }));
    this.process = child;
  }

  /** Process id of the function. */
  get pid(): number {
    return this.process?.pid ?? 0;
  }

  invoke(event: unknown): Promise<Outcome> {
    return new Promise((settle) => {
      if (this.failedToStart !== undefined) return settle(this.failedToStart);
      this.queue.push({ event, settle });
      this.handOut();
    });
  }

  async stop(): Promise<void> {
    if (this.process?.exitCode === null) {
      const exit = once(this.process, 'exit');
      this.process.kill();
      await exit;
    }
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, , , , id = '', what] = (request.url ?? '').split('/');
    if (id === 'next') {
      this.waiting = response;
      return this.handOut();
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(202).end('{}');
    if (id === 'error') return this.end(body as Extract<Outcome, { error: unknown }>['error']);
    const invocation = this.running.get(id);
    this.running.delete(id);
    invocation?.settle(what === 'error' ? ({ error: body } as Outcome) : { result: body });
  }

  private handOut(): void {
    if (this.waiting === undefined) return;
    const invocation = this.queue.shift();
    if (invocation === undefined) return;
    const id = `00000000-0000-4000-8000-${String(++this.invocations).padStart(12, '0')}`;
    this.running.set(id, invocation);
    const headers = {
      'Lambda-Runtime-Aws-Request-Id': id,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + TIMEOUT_MS),
      'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:us-east-1:123456789012:function:connector',
    };
    this.waiting
      .writeHead(200, { 'Content-Type': 'application/json', ...headers })
      .end(JSON.stringify(invocation.event));
    this.waiting = undefined;
  }

  /** The process has ended, or never took events: waiting invocations fail. */
  private end(error: Extract<Outcome, { error: unknown }>['error']): void {
    this.failedToStart ??= { error };
    for (const { settle } of [...this.running.values(), ...this.queue.splice(0)]) settle({ error });
    this.running.clear();
  }
}
