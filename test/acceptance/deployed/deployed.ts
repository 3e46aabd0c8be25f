/** The stack on an emulator of AWS, over the embedded Timestream, shared by the tests of the deployed stack. */
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { AwsCredentialIdentity } from '@smithy/types';
import type { Fault } from '../../../local/timestream/server';
import { type LineWriterResult, writeLines } from '../../../samples/client/line-writer';
import { SigningTransport } from '../../../samples/client/signing-transport';
import { DATABASE, type Harness, select, startHarness } from '../../contract/timestream/harness';
import { MiniStack, STACK } from '../../support/ministack';
import { FunctionCalls } from './function-calls';

export const REJECTED = 'rejected-lines';

interface PolicyDocument {
  readonly Version: string;
  readonly Statement: readonly object[];
}

export class Deployed {
  /** Provokes a failure of WriteRecords calls while set. */
  fault: (() => Fault | undefined) | undefined;

  private constructor(
    readonly ministack: MiniStack,
    readonly timestream: Harness,
    readonly calls: FunctionCalls,
  ) {}

  static async start(): Promise<Deployed> {
    const calls = new FunctionCalls();
    let deployed: Deployed | undefined;
    const intercept = (operation: string) => (operation === 'WriteRecords' ? deployed?.fault?.() : undefined);
    const [ministack, timestream] = await Promise.all([
      MiniStack.start(calls.environment),
      startHarness({ now: Date.now, intercept }),
    ]);
    deployed = new Deployed(ministack, timestream, calls);
    return deployed;
  }

  /** Deploys the connector over the embedded Timestream. The deadline is long, because a busy machine starts functions slowly. */
  async deploy(parameters: Readonly<Record<string, string>>): Promise<void> {
    const connector = { TimestreamWriteEndpoint: this.timestream.server.url, WriteDeadlineMillis: '28000' };
    await this.ministack.deploy({ ...connector, LambdaMemorySize: '512', LoaderMemorySize: '512', ...parameters });
    await this.allowAllNamespaces();
  }

  /** Removes the condition key `cloudwatch:namespace`, which MiniStack does not support, from the policies for metrics. */
  private async allowAllNamespaces(): Promise<void> {
    const iam = new IAMClient(this.ministack.client);
    const resources = await this.resources();
    for (const role of ['LoadBatchRole', 'LoadObjectRole', 'ReportRole'].filter((name) => resources.has(name))) {
      const policy = { RoleName: resources.get(role), PolicyName: 'SendMetrics' };
      const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand(policy));
      const { Version, Statement } = JSON.parse(decodeURIComponent(PolicyDocument)) as PolicyDocument;
      const unconditional = Statement.map((statement) => ({ ...statement, Condition: undefined }));
      const document = JSON.stringify({ Version, Statement: unconditional });
      await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument: document }));
    }
  }

  /** The physical ids of the stack's resources by their logical ids. */
  async resources(): Promise<ReadonlyMap<string, string>> {
    const cloudFormation = new CloudFormationClient(this.ministack.client);
    const found = new Map<string, string>();
    for (let NextToken: string | undefined; ; ) {
      const page = await cloudFormation.send(new ListStackResourcesCommand({ StackName: STACK, NextToken }));
      for (const { LogicalResourceId = '', PhysicalResourceId = '' } of page.StackResourceSummaries ?? [])
        found.set(LogicalResourceId, PhysicalResourceId);
      NextToken = page.NextToken;
      if (NextToken === undefined) return found;
    }
  }

  /**
   * Writes lines with the sample client, and returns its reports.
   * @param credentials for the signature; undefined for a client that does not sign
   */
  async writeSamples(
    lines: readonly string[],
    credentials: AwsCredentialIdentity | undefined,
  ): Promise<LineWriterResult & { readonly reports: readonly string[] }> {
    const url = this.ministack.apiUrl;
    const { region } = this.ministack.client;
    const reports: string[] = [];
    const result = await writeLines(lines, {
      url,
      precision: 'ns',
      batchLines: 1_000,
      report: (message) => reports.push(message),
      ...(credentials && {
        wrapTransport: (inner) => new SigningTransport(inner, { url, region, service: 'execute-api', credentials }),
      }),
    });
    return { ...result, reports };
  }

  /**
   * The URL of a queue, by the output with its name. Removes the policy of the queue, which refuses plain HTTP, with a request that
   * pretends to come through a TLS proxy.
   */
  async openQueue(output: string): Promise<string | undefined> {
    const proxied = new SQSClient(this.ministack.client);
    const addHeader = { step: 'build' as const, name: 'addForwardedProto' };
    proxied.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['x-forwarded-proto'] = 'https';
        return next(args);
      },
      addHeader,
    );
    const { QueueUrl } = await proxied.send(new GetQueueUrlCommand({ QueueName: this.ministack.output(output) }));
    await proxied.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } }));
    return QueueUrl;
  }

  /** The number of messages in an open queue. */
  async waiting(QueueUrl: string | undefined): Promise<number> {
    const AttributeNames = ['ApproximateNumberOfMessages' as const];
    const request = new GetQueueAttributesCommand({ QueueUrl, AttributeNames });
    const { Attributes } = await new SQSClient(this.ministack.client).send(request);
    return Number(Attributes?.ApproximateNumberOfMessages);
  }

  /** The number of rows of a table in Timestream; 0 if the table does not exist. */
  async count(table: string): Promise<number> {
    const rows = await select(this.timestream, `SELECT count(*) FROM "${DATABASE}"."${table}"`).catch(() => []);
    return Number(rows[0]?.[0] ?? 0);
  }

  async stop(): Promise<void> {
    this.ministack.stop();
    await this.timestream.close();
    this.calls.remove();
  }
}
