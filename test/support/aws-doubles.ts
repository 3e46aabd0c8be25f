/** The calls of SQS, Lambda, Step Functions and CloudFormation that the command line uses, over HTTP, for the AWS SDK. */
import { createHash } from 'node:crypto';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { type MessageAttributeValue, SQSClient } from '@aws-sdk/client-sqs';
import { type Answer, type ReceivedRequest, ScriptedServer } from './scripted-server';

const CLIENT = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, maxAttempts: 1 };

export interface QueuedMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly delaySeconds: number;
}

export interface DescribedStack {
  readonly outputs: Readonly<Record<string, string>>;
  readonly parameters?: Readonly<Record<string, string>>;
}

type Functions = Readonly<Record<string, (event: unknown) => Promise<unknown>>>;

export class AwsDoubles {
  /** Waiting messages, by the URL of their queue. */
  readonly queues = new Map<string, QueuedMessage[]>();
  /** Names and inputs of executions, by name. */
  readonly executions = new Map<string, string>();
  /** Further members of an execution's description, by name. */
  readonly states = new Map<string, object>();
  /** The item counts of the map runs of every execution. */
  mapRuns: readonly Readonly<Record<string, number>>[] = [];
  readonly stacks = new Map<string, DescribedStack>();
  private readonly received = new Map<string, QueuedMessage>();
  private receipts = 0;

  private constructor(
    private readonly functions: Functions,
    private readonly server: ScriptedServer,
  ) {}

  /** @param functions by name; an error that they throw becomes the function's error */
  static async start(functions: Functions): Promise<AwsDoubles> {
    const doubles: AwsDoubles = new AwsDoubles(
      functions,
      await ScriptedServer.start((request) => doubles.respond(request)),
    );
    return doubles;
  }

  get clients() {
    const options = { ...CLIENT, endpoint: this.url };
    return { sqs: new SQSClient(options), lambda: new LambdaClient(options), executions: new SFNClient(options) };
  }

  get url(): string {
    return this.server.url;
  }

  queueUrl(name: string): string {
    return `${this.url}/123456789012/${name}`;
  }

  /** The messages of a queue, also delayed ones. */
  messages(name: string): QueuedMessage[] {
    return this.queues.get(this.queueUrl(name)) ?? [];
  }

  put(name: string, message: unknown, attributes: QueuedMessage['attributes'] = {}): void {
    this.enqueue(this.queueUrl(name), { body: JSON.stringify(message), attributes, delaySeconds: 0 });
  }

  /** Messages that were received and not deleted. */
  get inFlight(): number {
    return this.received.size;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  private respond({ path, headers, body }: ReceivedRequest): Answer | Promise<Answer> {
    const [, name] = /\/functions\/([^/]+)\/invocations$/.exec(path) ?? [];
    if (name !== undefined) return this.invoke(decodeURIComponent(name), JSON.parse(body));
    if (headers['x-amz-target'] === undefined)
      return this.describeStack(new URLSearchParams(body).get('StackName') ?? '');
    return this.call(String(headers['x-amz-target']).split('.')[1] ?? '', JSON.parse(body) as Record<string, never>);
  }

  /** Source: DescribeStacks in the CloudFormation API reference. */
  private describeStack(name: string): Answer {
    const stack = this.stacks.get(name);
    const headers = { 'content-type': 'text/xml' };
    if (stack === undefined) {
      const error = `<Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message>`;
      return {
        status: 400,
        headers,
        body: `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`,
      };
    }
    const members = (kind: string, values: Readonly<Record<string, string>>) =>
      Object.entries(values).map(
        ([key, value]) => `<member><${kind}Key>${key}</${kind}Key><${kind}Value>${value}</${kind}Value></member>`,
      );
    const outputs = members('Output', stack.outputs).join('');
    const parameters = members('Parameter', stack.parameters ?? {}).join('');
    const described = `<member><StackName>${name}</StackName><Outputs>${outputs}</Outputs><Parameters>${parameters}</Parameters></member>`;
    const body = `<DescribeStacksResponse><DescribeStacksResult><Stacks>${described}</Stacks></DescribeStacksResult></DescribeStacksResponse>`;
    return { status: 200, headers, body };
  }

  private enqueue(url: string, message: QueuedMessage): void {
    this.queues.set(url, [...(this.queues.get(url) ?? []), message]);
  }

  private async invoke(name: string, event: unknown) {
    try {
      const result = await this.functions[name]?.(event);
      return { status: 200, body: JSON.stringify(result ?? null) };
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      const headers = { 'x-amz-function-error': 'Unhandled' };
      return { status: 200, headers, body: JSON.stringify({ errorType, errorMessage }) };
    }
  }

  private call(operation: string, input: Record<string, never>) {
    const ok = (body: unknown = {}) => ({ status: 200, body: JSON.stringify(body) });
    const { QueueUrl: url, ReceiptHandle: receipt } = input as Record<string, string>;
    switch (operation) {
      case 'ReceiveMessage': {
        const waiting = this.queues.get(url ?? '') ?? [];
        const message = waiting.find(({ delaySeconds }) => delaySeconds === 0);
        if (message === undefined) return ok();
        waiting.splice(waiting.indexOf(message), 1);
        const ReceiptHandle = String(++this.receipts);
        this.received.set(ReceiptHandle, message);
        const { body: Body, attributes: MessageAttributes } = message;
        const Attributes = { SentTimestamp: '1709300000000' };
        const MD5OfBody = md5(Body);
        return ok({ Messages: [{ MessageId: '1', ReceiptHandle, Body, MD5OfBody, Attributes, MessageAttributes }] });
      }
      case 'SendMessage': {
        const { MessageBody: body = '', MessageAttributes: attributes = {}, DelaySeconds: delaySeconds = 0 } = input;
        // SQS does the same.
        if (Object.keys(attributes).length > 10) return { status: 400, body: '{"__type":"InvalidParameterValue"}' };
        this.enqueue(url ?? '', { body, attributes, delaySeconds });
        return ok({ MessageId: '1', MD5OfMessageBody: md5(body) });
      }
      case 'DeleteMessage':
        this.received.delete(receipt ?? '');
        return ok();
      case 'ChangeMessageVisibility': {
        const message = this.received.get(receipt ?? '');
        this.received.delete(receipt ?? '');
        if (message) this.enqueue(url ?? '', message);
        return ok();
      }
      case 'StartExecution': {
        const { name = '', input: text = '' } = input as Record<string, string>;
        const known = this.executions.get(name);
        if (known !== undefined) return { status: 400, body: '{"__type":"ExecutionAlreadyExists"}' };
        this.executions.set(name, text);
        return ok({ executionArn: `arn:aws:states:us-east-1:123456789012:execution:BulkLoad:${name}`, startDate: 0 });
      }
      case 'GetQueueUrl': {
        const wanted = this.queueUrl((input as Record<string, string>).QueueName ?? '');
        if (this.queues.has(wanted)) return ok({ QueueUrl: wanted });
        return { status: 400, body: '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"}' };
      }
      case 'DescribeExecution': {
        const name = (input as Record<string, string>).executionArn?.split(':').at(-1) ?? '';
        const text = this.executions.get(name);
        if (text === undefined) return { status: 400, body: '{"__type":"ExecutionDoesNotExist"}' };
        return ok({ status: 'RUNNING', input: text, startDate: 0, ...this.states.get(name) });
      }
      case 'ListMapRuns':
        return ok({ mapRuns: this.mapRuns.map((_, index) => ({ mapRunArn: String(index) })) });
      case 'DescribeMapRun':
        return ok({ itemCounts: this.mapRuns[Number((input as Record<string, string>).mapRunArn)] });
      default:
        return { status: 400, body: JSON.stringify({ __type: 'UnknownOperationException', message: operation }) };
    }
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
