/** The stack in each combination of optional resources, deployed one after the other as updates. */
import { APIGatewayClient, GetResourcesCommand } from '@aws-sdk/client-api-gateway';
import { IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { detail } from '../report';
import {
  type Combination,
  choicesOf,
  combinations,
  FEATURE_NAMES,
  NONE,
  VARIABLES,
  withoutHashes,
} from './combinations';
import type { Deployed } from './deployed';

const COMBINATIONS = combinations({ deployable: true });

/** @param deployed the running emulator */
export function describeStacks(deployed: () => Deployed): void {
  const results: string[] = [];

  /** Variables of the write function that a choice may set. */
  async function variables(FunctionName: string): Promise<Record<string, string>> {
    const lambda = new LambdaClient(deployed().ministack.client);
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    return Object.fromEntries(
      Object.entries(Environment?.Variables ?? {}).filter(([name]) => VARIABLES.includes(name)),
    );
  }

  async function policies(RoleName: string): Promise<string[]> {
    const iam = new IAMClient(deployed().ministack.client);
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    return PolicyNames.sort();
  }

  /** The authorization of each method of the API, such as AWS_IAM, by method and path. */
  async function authorizations(restApiId: string): Promise<Record<string, string>> {
    const gateway = new APIGatewayClient(deployed().ministack.client);
    const { items = [] } = await gateway.send(new GetResourcesCommand({ restApiId, embed: ['methods'], limit: 500 }));
    return Object.fromEntries(
      items.flatMap(({ path, resourceMethods = {} }) =>
        Object.entries(resourceMethods).map(([method, { authorizationType = '' }]) => [
          `${method} ${path}`,
          authorizationType,
        ]),
      ),
    );
  }

  test.each(COMBINATIONS)(
    'combination $number (below) deploys with exactly its resources, permissions, variables and authorization',
    async (combination) => {
      const row = combination.number - 1;
      results[row] = 'differs';
      await deployed().ministack.deploy(combination.parameters);
      const resources = await deployed().resources();
      const physical = (id: string): string => resources.get(id) ?? '';
      expect(withoutHashes([...resources.keys()])).toEqual(combination.resources);
      expect(await variables(physical('WriteLineProtocolFunction'))).toEqual(combination.variables);
      expect(await policies(physical('WriteLineProtocolRole'))).toEqual(combination.policies);
      expect(await authorizations(physical('ConnectorApi'))).toEqual(expectedAuthorizations(combination));
      results[row] = `${resources.size} resources, as expected`;
    },
  );
  afterAll(() =>
    detail(
      'Deployed combinations, in which every pair of values occurs',
      ['#', ...FEATURE_NAMES, 'result'],
      COMBINATIONS.map((each, row) => [each.number, ...choicesOf(each), results[row] ?? '']),
    ),
  );
}

function expectedAuthorizations({ choices }: Combination): Record<string, string> {
  const clients = choices.authorization.is === 'TOKEN' ? 'CUSTOM' : 'AWS_IAM';
  const ping = choices['/ping'].is === 'public' ? 'NONE' : clients;
  const health = ['GET /health', 'HEAD /health', 'GET /ready', 'HEAD /ready'];
  const writes = ['POST /api/v2/write', 'POST /write', ...health];
  const paths = choices.browsers.is === NONE ? [] : ['/api/v2/write', '/write', '/ping', '/health', '/ready'];
  const hasLoader = choices.loader.resources !== undefined;
  const loads = hasLoader ? ['POST /loads', 'GET /loads/{id}', 'GET /loads/health'] : [];
  const hasMigration = hasLoader && choices.migration.is !== NONE;
  const migrations = hasMigration ? ['POST /migrations', 'GET /migrations/{id}'] : [];
  return {
    ...Object.fromEntries(writes.map((method) => [method, clients])),
    ...Object.fromEntries([...loads, ...migrations].map((method) => [method, 'AWS_IAM'])),
    ...Object.fromEntries(paths.map((path) => [`OPTIONS ${path}`, 'NONE'])),
    'GET /ping': ping,
    'HEAD /ping': ping,
  };
}
