/** docs/iam/deploy.json lets its holder create, update and delete every resource of the stack. */
import { byType, type Fields, LOADER, listed, resourcesWith, TOKENS } from '../stack/template';
import { allows, readPolicy } from './policy';

const policy = readPolicy('deploy');

/** The stack with everything that parameters add. */
const WHOLE = {
  ...LOADER,
  ...TOKENS,
  ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects',
  DatasetMappings: 's3://configuration/datasets.json',
  RedriveSchedule: 'rate(1 hour)',
  StackKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/5678efab',
  WebAclArn: 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b',
  VpcSubnetIds: 'subnet-1',
  VpcSecurityGroupIds: 'sg-1',
  AlarmTopicArn: 'arn:aws:sns:us-east-1:123456789012:operators',
  CreateDashboard: 'true',
  EnableTracing: 'true',
};
const STACK = 'InfluxDBTimestreamConnector';
const resources = resourcesWith(WHOLE);

const arn = (service: string, name: string): string => `arn:aws:${service}:us-east-1:123456789012:${name}`;
/** The logical ids that a property refers to. */
const referenced = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/<(\w+)>/g)].map(([, name = '']) => name);

/**
 * The ARN that a resource has after CloudFormation named it: by its own property, else by stack, logical id and a random suffix.
 * Source: "Name type" in the CloudFormation user guide.
 */
const ARNS = {
  function: (name: string) => {
    const own = resources[name]?.Properties.FunctionName;
    return arn('lambda', `function:${own === undefined ? `${STACK}-${name}-1A2B` : String(own)}`);
  },
  layer: (name: string) => arn('lambda', `layer:${String(resources[name]?.Properties.LayerName ?? name)}`),
  role: (name: string) => `arn:aws:iam::123456789012:role/${STACK}-${name}-1A2B`,
  queue: (name: string) => arn('sqs', `${STACK}-${name}-1A2B`),
  rule: (name: string) => arn('events', `rule/${STACK}-${name}-1A2B`),
  stateMachine: (name: string) => arn('states', `stateMachine:${name}-1A2B`),
  bucket: (name: string) => `arn:aws:s3:::${`${STACK}-${name}-1a2b`.toLowerCase()}`,
  mapping: arn('lambda', 'event-source-mapping:5678efab'),
  alarm: (name: string) => arn('cloudwatch', `alarm:${STACK}-${name}-1A2B`),
  restApi: (path: string) => `arn:aws:apigateway:us-east-1::${path}`,
};

type Call = readonly [action: string, resource: string];
const on = (resource: string, service: string, ...actions: string[]): Call[] =>
  actions.map((action) => [`${service}:${action}`, resource]);

/** What CloudFormation calls for a resource of each type. Source: the permissions in the type's schema. */
const CALLS: Readonly<Record<string, (name: string, properties: Fields) => Call[]>> = {
  'AWS::ApiGateway::Account': () => on(ARNS.restApi('/account'), 'apigateway', 'GET', 'PATCH'),
  'AWS::CloudWatch::Alarm': (name) =>
    on(ARNS.alarm(name), 'cloudwatch', 'PutMetricAlarm', 'DescribeAlarms', 'DeleteAlarms', 'ListTagsForResource'),
  'AWS::CloudWatch::Dashboard': () =>
    on(
      `arn:aws:cloudwatch::123456789012:dashboard/${STACK}-us-east-1`,
      'cloudwatch',
      'PutDashboard',
      'GetDashboard',
      'DeleteDashboards',
    ),
  'AWS::Events::Rule': (name) =>
    on(ARNS.rule(name), 'events', 'PutRule', 'DescribeRule', 'PutTargets', 'RemoveTargets', 'DeleteRule'),
  'AWS::IAM::Policy': (_, { Roles }) =>
    referenced(Roles).flatMap((role) =>
      on(ARNS.role(role), 'iam', 'PutRolePolicy', 'GetRolePolicy', 'DeleteRolePolicy'),
    ),
  'AWS::IAM::Role': (name) =>
    on(ARNS.role(name), 'iam', 'CreateRole', 'GetRole', 'PutRolePolicy', 'AttachRolePolicy', 'DeleteRole', 'PassRole'),
  'AWS::Lambda::EventSourceMapping': () => [
    // Authorized without a resource, by the condition key lambda:FunctionArn.
    ...on('*', 'lambda', 'CreateEventSourceMapping', 'GetEventSourceMapping'),
    ...on(ARNS.mapping, 'lambda', 'UpdateEventSourceMapping', 'DeleteEventSourceMapping'),
  ],
  'AWS::Lambda::Permission': (_, { FunctionName }) =>
    referenced(FunctionName).flatMap((name) => on(ARNS.function(name), 'lambda', 'AddPermission', 'RemovePermission')),
  'AWS::Logs::LogGroup': (_, { LogGroupName }) =>
    on(
      arn('logs', `log-group:${String(LogGroupName).replace('<AWS::StackName>', STACK)}`),
      'logs',
      'CreateLogGroup',
      'PutRetentionPolicy',
      'AssociateKmsKey',
      'DisassociateKmsKey',
      'DeleteLogGroup',
    ),
  'AWS::S3::Bucket': (name) =>
    on(
      ARNS.bucket(name),
      's3',
      'CreateBucket',
      'PutEncryptionConfiguration',
      'PutLifecycleConfiguration',
      'PutBucketPublicAccessBlock',
    ),
  'AWS::S3::BucketPolicy': (_, { Bucket }) =>
    referenced(Bucket).flatMap((name) =>
      on(ARNS.bucket(name), 's3', 'GetBucketPolicy', 'PutBucketPolicy', 'DeleteBucketPolicy'),
    ),
  'AWS::SQS::Queue': (name) =>
    on(ARNS.queue(name), 'sqs', 'CreateQueue', 'GetQueueAttributes', 'SetQueueAttributes', 'DeleteQueue'),
  'AWS::SQS::QueuePolicy': (_, { Queues }) =>
    referenced(Queues).flatMap((name) => on(ARNS.queue(name), 'sqs', 'SetQueueAttributes')),
  'AWS::Serverless::Api': () => [
    ...on(ARNS.restApi('/restapis'), 'apigateway', 'POST'),
    ...on(ARNS.restApi('/restapis/a1b2c3'), 'apigateway', 'GET', 'PUT', 'PATCH', 'DELETE'),
    ...on(ARNS.restApi('/restapis/a1b2c3/stages'), 'apigateway', 'POST'),
    ...on(ARNS.restApi('/restapis/a1b2c3/stages/dev'), 'apigateway', 'GET', 'PATCH', 'DELETE'),
  ],
  'AWS::Serverless::Function': (name, properties) => {
    const own = ARNS.function(name);
    return [
      ...on(own, 'lambda', 'CreateFunction', 'GetFunction', 'UpdateFunctionCode', 'UpdateFunctionConfiguration'),
      ...on(own, 'lambda', 'TagResource', 'DeleteFunction'),
      ...(properties.ReservedConcurrentExecutions === undefined
        ? []
        : on(own, 'lambda', 'PutFunctionConcurrency', 'DeleteFunctionConcurrency')),
      ...(properties.EventInvokeConfig === undefined
        ? []
        : on(
            own,
            'lambda',
            'PutFunctionEventInvokeConfig',
            'UpdateFunctionEventInvokeConfig',
            'GetFunctionEventInvokeConfig',
            'DeleteFunctionEventInvokeConfig',
          )),
      ...(properties.VpcConfig === undefined
        ? []
        : on('*', 'ec2', 'DescribeSecurityGroups', 'DescribeSubnets', 'DescribeVpcs')),
    ];
  },
  'AWS::Serverless::LayerVersion': (name) => [
    ...on(ARNS.layer(name), 'lambda', 'PublishLayerVersion'),
    ...on(`${ARNS.layer(name)}:1`, 'lambda', 'GetLayerVersion', 'DeleteLayerVersion'),
  ],
  'AWS::Serverless::StateMachine': (name) =>
    on(
      ARNS.stateMachine(name),
      'states',
      'CreateStateMachine',
      'DescribeStateMachine',
      'UpdateStateMachine',
      'TagResource',
      'DeleteStateMachine',
    ),
  'AWS::WAFv2::WebACLAssociation': () => [
    ...on(WHOLE.WebAclArn, 'wafv2', 'AssociateWebACL', 'GetWebACLForResource'),
    ...on(ARNS.restApi('/restapis/a1b2c3/stages/dev'), 'wafv2', 'AssociateWebACL', 'DisassociateWebACL'),
    ...on(ARNS.restApi('/restapis/a1b2c3/stages/dev'), 'apigateway', 'SetWebACL'),
  ],
};

const callsOf = (name: string): Call[] => {
  const { Type = '', Properties = {} } = resources[name] ?? {};
  return CALLS[Type]?.(name, Properties) ?? [];
};

test.each(Object.keys(resources))('allows all calls for %s', (name) => {
  const calls = callsOf(name);
  expect(calls).not.toEqual([]);
  expect(calls.filter(([action, resource]) => !allows(policy, action, resource))).toEqual([]);
});

test('every statement about a resource of the stack is needed', () => {
  const calls = Object.keys(resources).flatMap(callsOf);
  // These serve the SAM CLI, which uploads the code and deploys the stack.
  const ofTools = ['Stack', 'Transform', 'CheckTheTemplate', 'UploadBucket'];
  const unneeded = policy.filter((statement) => {
    const others = policy.filter((other) => other !== statement);
    return calls.every(([action, resource]) => allows(others, action, resource));
  });
  expect(unneeded.map(({ Sid }) => Sid).filter((sid) => !ofTools.includes(sid))).toEqual([]);
});

test('no role of the stack is passed to another service than the policy allows', () => {
  const trusted = byType(resources, 'AWS::IAM::Role').map(([, { Properties }]) => JSON.stringify(Properties));
  const services = trusted.map((role) => /"Service":"([\w.]+)"/.exec(role)?.[1] ?? '');
  const passed = JSON.stringify(policy.find(({ Action }) => listed(Action).includes('iam:PassRole')));
  expect(services.filter((service) => !passed.includes(`"${service}"`))).toEqual([]);
});
