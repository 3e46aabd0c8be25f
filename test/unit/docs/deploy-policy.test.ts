/** docs/iam/deploy.json lets its holder create, update and delete every resource of the stack. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byType, LOADER, listed, resourcesWith, TOKENS, type Value } from '../stack/template';

interface Statement {
  readonly Action: Value;
  readonly Resource: Value;
}

const { Statement: policy } = JSON.parse(readFileSync(join(__dirname, '../../../docs/iam/deploy.json'), 'utf8')) as {
  Statement: Statement[];
};

/** The stack with everything that parameters add. */
const WHOLE = {
  ...LOADER,
  ...TOKENS,
  ObjectQueueArn: 'arn:aws:sqs:us-east-1:123456789012:objects',
  DatasetMappings: 's3://configuration/datasets.json',
  RedriveSchedule: 'rate(1 hour)',
  StackKmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/5678efab',
  WebAclArn: 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b',
};

/** What CloudFormation calls for a resource of each type. Source: the permissions in the type's schema. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  'AWS::ApiGateway::Account': ['apigateway:PATCH'],
  'AWS::Events::Rule': ['events:PutRule', 'events:PutTargets', 'events:RemoveTargets', 'events:DeleteRule'],
  'AWS::IAM::Policy': ['iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
  'AWS::IAM::Role': ['iam:CreateRole', 'iam:PutRolePolicy', 'iam:AttachRolePolicy', 'iam:DeleteRole', 'iam:PassRole'],
  'AWS::Lambda::EventSourceMapping': ['lambda:CreateEventSourceMapping', 'lambda:DeleteEventSourceMapping'],
  'AWS::Lambda::Permission': ['lambda:AddPermission', 'lambda:RemovePermission'],
  'AWS::Logs::LogGroup': [
    'logs:CreateLogGroup',
    'logs:PutRetentionPolicy',
    'logs:AssociateKmsKey',
    'logs:DisassociateKmsKey',
    'logs:DeleteLogGroup',
  ],
  'AWS::S3::Bucket': ['s3:CreateBucket', 's3:PutEncryptionConfiguration', 's3:PutLifecycleConfiguration'],
  'AWS::S3::BucketPolicy': ['s3:PutBucketPolicy', 's3:DeleteBucketPolicy'],
  'AWS::SQS::Queue': ['sqs:CreateQueue', 'sqs:SetQueueAttributes', 'sqs:DeleteQueue'],
  'AWS::SQS::QueuePolicy': ['sqs:SetQueueAttributes'],
  'AWS::Serverless::Api': ['apigateway:POST', 'apigateway:PATCH', 'apigateway:DELETE'],
  'AWS::Serverless::Function': ['lambda:CreateFunction', 'lambda:UpdateFunctionCode', 'lambda:DeleteFunction'],
  'AWS::Serverless::LayerVersion': ['lambda:PublishLayerVersion', 'lambda:DeleteLayerVersion'],
  'AWS::Serverless::StateMachine': ['states:CreateStateMachine', 'states:DeleteStateMachine'],
  'AWS::WAFv2::WebACLAssociation': ['wafv2:AssociateWebACL', 'wafv2:DisassociateWebACL'],
};
const resources = resourcesWith(WHOLE);
const allowed = policy.flatMap(({ Action }) => listed(Action));

test.each([...new Set(Object.values(resources).map(({ Type }) => Type))])('%s', (type) => {
  expect(CALLS).toHaveProperty([type]);
  expect(CALLS[type]?.filter((action) => !allowed.includes(action))).toEqual([]);
});

test.each(byType(resources, 'AWS::Logs::LogGroup'))('the name of %s is one that the policy names', (_, group) => {
  const name = String(group.Properties.LogGroupName).replace('<AWS::StackName>', 'InfluxDBTimestreamConnector');
  const patterns = policy
    .filter(({ Action }) => listed(Action).includes('logs:CreateLogGroup'))
    .flatMap(({ Resource }) => listed(Resource).map((arn) => arn.replace(/^.*:log-group:/, '').replace('*', '')));
  expect(patterns.some((prefix) => name.startsWith(prefix))).toBe(true);
});

test('no role of the stack is passed to another service than the policy allows', () => {
  const trusted = byType(resources, 'AWS::IAM::Role').map(([, { Properties }]) => JSON.stringify(Properties));
  const services = trusted.map((role) => /"Service":"([\w.]+)"/.exec(role)?.[1] ?? '');
  const passed = JSON.stringify(policy.find(({ Action }) => listed(Action).includes('iam:PassRole')));
  expect(services.filter((service) => !passed.includes(`"${service}"`))).toEqual([]);
});
