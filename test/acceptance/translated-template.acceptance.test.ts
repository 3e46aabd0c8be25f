/**
 * The template that CloudFormation receives, with every pair of values of the parameters that add or remove resources. It covers
 * properties that an emulator accepts and ignores.
 */
import {
  at,
  brokenRules,
  byType,
  type Fields,
  LOADER,
  listed,
  type Resource,
  resourcesWith,
  template,
} from '../unit/stack/template';
import {
  CIDRS,
  choicesOf,
  combinations,
  ENDPOINTS,
  FEATURE_NAMES,
  VARIABLES,
  withoutHashes,
} from './deployed/combinations';
import { findings, missingForTranslation, type Translated, translate } from './deployed/translated';
import { describeProof, detail } from './report';

const COMBINATIONS = combinations({ deployable: false });

describeProof("template.yml, translated by the SAM CLI's own translator", missingForTranslation(), () => {
  let translated: Translated;
  let lint: string[];
  beforeAll(() => {
    translated = translate(COMBINATIONS.map(({ parameters }) => parameters));
    lint = findings(translated.template);
  });

  /** The resources of the translated template with these parameters. */
  const resources = (parameters = {}): Record<string, Resource> =>
    resourcesWith(parameters, translated.template.Resources);
  const properties = (name: string, parameters = {}): Fields => resources(parameters)[name]?.Properties ?? {};
  /** The roles, and the policies beside them. */
  const roles = (parameters: Record<string, string>) =>
    Object.values(resources(parameters)).filter(({ Type }) => /^AWS::IAM::(Role|Policy)$/.test(Type));
  /** The names of the policies in a role and beside it, sorted. */
  const policies = (role: string, parameters: Record<string, string>): string[] => {
    const own = (properties(role, parameters).Policies ?? []) as Fields[];
    const beside = byType(resources(parameters), 'AWS::IAM::Policy').map(([, policy]) => policy.Properties);
    const attached = beside.filter(({ Roles }) => listed(Roles).includes(`<${role}>`));
    return [...own, ...attached].map(({ PolicyName }) => String(PolicyName)).sort();
  };
  const functions = (parameters: Record<string, string>) => byType(resources(parameters), 'AWS::Lambda::Function');
  const policyOf = (parameters: Record<string, string>) =>
    at(properties('ConnectorApi', parameters), 'Body', 'x-amazon-apigateway-policy', 'Statement');

  test('its parameters, conditions and rules are those of the source', () => {
    const { Parameters, Conditions, Rules } = translated.template;
    expect(Object.keys(Parameters)).toEqual(Object.keys(template.Parameters));
    expect(Object.keys(Conditions)).toEqual(expect.arrayContaining(Object.keys(template.Conditions)));
    expect(Object.keys(Rules)).toEqual(Object.keys(template.Rules));
  });

  test('cfn-lint reports no problems, with any condition true or false', () => {
    expect(lint).toEqual([]);
  });

  test('cfn-lint reports an error in a property that depends on one condition', () => {
    const { Resources } = translated.template;
    const Properties = {
      ...Resources.LoadBatchFunction?.Properties,
      MemorySize: { 'Fn::If': ['HasVpc', 'many', 1769] },
    };
    const LoadBatchFunction = { ...Resources.LoadBatchFunction, Properties };
    const invalid = { ...translated.template, Resources: { ...Resources, LoadBatchFunction } };
    expect(findings(invalid)).toContainEqual(expect.stringContaining("'many' is not of type 'integer'"));
  });

  describe('its conditions, evaluated by cfn-lint', () => {
    const results: string[] = [];
    test.each(COMBINATIONS)(
      'combination $number (below) has exactly its resources, permissions and variables',
      (combination) => {
        const { parameters } = combination;
        const row = combination.number - 1;
        results[row] = 'differs';
        expect(brokenRules(parameters)).toEqual([]);
        expect(withoutHashes(translated.resources[row] ?? [])).toEqual(combination.resources);
        expect(policies('WriteLineProtocolRole', parameters)).toEqual(combination.policies);
        const variables = at(properties('WriteLineProtocolFunction', parameters), 'Environment', 'Variables') as Fields;
        const chosen = Object.entries(variables).filter(([name]) => VARIABLES.includes(name));
        expect(Object.fromEntries(chosen)).toEqual(combination.variables);
        results[row] = `${combination.resources.length} resources, as expected`;
      },
    );

    test('a stack that writes to InfluxDB only asks for no permission of Timestream, but for a migration', () => {
      const toInfluxdb = COMBINATIONS.filter(({ choices }) => choices.destination.is === 'influxdb');
      expect(toInfluxdb.length).toBeGreaterThan(0);
      for (const { parameters } of toInfluxdb) {
        const withoutMigration = { ...parameters, MigrationDatabaseName: '' };
        expect(JSON.stringify(roles(withoutMigration))).not.toContain('timestream:');
      }
    });

    afterAll(() =>
      detail(
        'Translated combinations, in which every pair of values occurs',
        ['#', ...FEATURE_NAMES, 'result'],
        COMBINATIONS.map((each, row) => [each.number, ...choicesOf(each), results[row] ?? '']),
      ),
    );
  });

  test('only functions that connect to Timestream or InfluxDB are in the VPC', () => {
    const vpc = { ...LOADER, VpcSubnetIds: 'subnet-0a,subnet-0b', VpcSecurityGroupIds: 'sg-0a' };
    const inside = functions(vpc).filter(([, { Properties }]) => Properties.VpcConfig !== undefined);
    expect(inside.map(([name]) => name).sort()).toEqual([
      'CheckInfluxDBFunction',
      'LoadBatchFunction',
      'LoadObjectFunction',
      'WriteLineProtocolFunction',
    ]);
    for (const [, { Properties }] of inside)
      expect(Properties.VpcConfig).toEqual({ SubnetIds: ['subnet-0a', 'subnet-0b'], SecurityGroupIds: ['sg-0a'] });
    expect(functions(LOADER).filter(([, { Properties }]) => Properties.VpcConfig !== undefined)).toEqual([]);
  });

  test('LoadBatch, LoadObject and the object queue have the reserved concurrency, or no limit if the parameter is empty', () => {
    const queue = { ...LOADER, ObjectQueueArn: 'arn:aws:sqs:us-east-1:000000000000:objects' };
    const bounds = (LoaderReservedConcurrency?: string) => {
      const parameters = { ...queue, ...(LoaderReservedConcurrency !== undefined && { LoaderReservedConcurrency }) };
      return [
        properties('LoadBatchFunction', parameters).ReservedConcurrentExecutions,
        properties('LoadObjectFunction', parameters).ReservedConcurrentExecutions,
        at(properties('LoadObjectQueueMapping', parameters), 'ScalingConfig', 'MaximumConcurrency'),
      ];
    };
    expect(bounds()).toEqual(['20', '20', '20']);
    expect(bounds('5')).toEqual(['5', '5', '5']);
    expect(bounds('')).toEqual([undefined, undefined, undefined]);
  });

  test('with EndpointType PRIVATE only the VPC endpoints can reach the API', () => {
    const parameters = { EndpointType: 'PRIVATE', AllowedVpcEndpointIds: ENDPOINTS };
    const [first, second] = ENDPOINTS.split(',');
    expect(properties('ConnectorApi', parameters).EndpointConfiguration).toEqual({
      Types: ['PRIVATE'],
      VpcEndpointIds: [first, second],
    });
    expect(policyOf(parameters)).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Resource: 'execute-api:/*',
        Condition: { StringNotEquals: { 'aws:SourceVpce': [first, second] } },
      }),
    ]);
    expect(properties('ConnectorApi').EndpointConfiguration).toEqual({ Types: ['REGIONAL'] });
  });

  test('the policy denies all addresses outside AllowedCidrs, and does not exist without them', () => {
    expect(policyOf({ AllowedCidrs: CIDRS })).toEqual([
      expect.objectContaining({
        Effect: 'Deny',
        Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.0.2.0/24'] } },
      }),
    ]);
    expect(policyOf({})).toBeUndefined();
  });

  test('the web ACL protects the stage', () => {
    const WebAclArn = 'arn:aws:wafv2:us-east-1:000000000000:regional/webacl/mine/1234abcd';
    expect(properties('ConnectorApiWebAcl', { WebAclArn })).toEqual({
      ResourceArn: expect.stringMatching(/:\/restapis\/<ConnectorApi>\/stages\/<ConnectorApiStage>$/),
      WebACLArn: WebAclArn,
    });
  });

  test('failed asynchronous events of functions and rules go to the dead-letter queue', () => {
    const parameters = { ...LOADER, DataBucketName: 'energy' };
    const deadLettersOf = (name: string) => properties(name, parameters).DeadLetterConfig;
    const TargetArn = '<LambdaDeadLetterQueue.Arn>';
    expect(deadLettersOf('WriteLineProtocolFunction')).toEqual({ TargetArn });
    expect(deadLettersOf('LoadObjectFunction')).toEqual({ TargetArn });
    expect(at(properties('NewObjectRule', parameters), 'Targets', 0, 'DeadLetterConfig')).toEqual({ Arn: TargetArn });
  });

  test("the API's own responses have InfluxDB's form", () => {
    const responses = at(properties('ConnectorApi'), 'Body', 'x-amazon-apigateway-gateway-responses') as Fields;
    const bodies = Object.values(responses).map((each) => String(at(each, 'responseTemplates', 'application/json')));
    expect(bodies).toHaveLength(11);
    for (const body of bodies) expect(body).toMatch(/^\{"code":"[a-z ]+","message":/);
    expect(responses.THROTTLED).toMatchObject({
      statusCode: '429',
      responseParameters: { 'gatewayresponse.header.Retry-After': "'1'" },
    });
  });

  test('pages can read those responses if CorsAllowedOrigins is set', () => {
    const origins = (CorsAllowedOrigins: string) => {
      const api = properties('ConnectorApi', { CorsAllowedOrigins });
      const responses = Object.values(at(api, 'Body', 'x-amazon-apigateway-gateway-responses') as Fields);
      const name = 'gatewayresponse.header.Access-Control-Allow-Origin';
      return [...new Set(responses.map((each) => at(each, 'responseParameters', name)))];
    };
    expect(origins('')).toEqual([undefined]);
    expect(origins('https://app.example')).toEqual(["'*'"]);
  });

  test('each path sends methods that it does not name to the function, in either mode', () => {
    for (const parameters of [LOADER, { AuthMode: 'TOKEN', TokenSecretName: 'connector/tokens' }]) {
      const paths = at(properties('ConnectorApi', parameters), 'Body', 'paths') as Record<string, Fields>;
      const uris = Object.values(paths).map((operations) =>
        at(operations['x-amazon-apigateway-any-method'], 'x-amazon-apigateway-integration', 'uri'),
      );
      for (const uri of uris) expect(uri).toContain('<WriteLineProtocolFunction.Arn>');
      expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/', '/{proxy+}', '/api/v2/write', '/ping']));
    }
  });

  test('the schedule of the redrive may invoke its function, with an empty input', () => {
    const parameters = { RedriveSchedule: 'rate(1 hour)' };
    expect(properties('RedriveRule', parameters)).toMatchObject({
      ScheduleExpression: 'rate(1 hour)',
      Targets: [expect.objectContaining({ Arn: '<RedriveDeadLettersFunction.Arn>', Input: '{}' })],
    });
    expect(properties('RedriveRulePermission', parameters)).toMatchObject({
      Principal: 'events.amazonaws.com',
      SourceArn: '<RedriveRule.Arn>',
    });
  });

  test('queues and buckets deny plain HTTP', () => {
    const policies = Object.values(resources(LOADER)).filter(({ Type }) =>
      /^AWS::(SQS::Queue|S3::Bucket)Policy$/.test(Type),
    );
    expect(policies).toHaveLength(3);
    for (const { Properties } of policies) {
      const statements = at(Properties, 'PolicyDocument', 'Statement') as Fields[];
      const denying = statements.filter(({ Condition }) => at(Condition, 'Bool', 'aws:SecureTransport') === 'false');
      expect(denying).toMatchObject([{ Effect: 'Deny', Principal: '*' }]);
      expect(listed(denying[0]?.Action)).toEqual([expect.stringMatching(/^(sqs|s3):\*$/)]);
    }
  });
});
