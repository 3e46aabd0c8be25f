/** template.yml as data, and what CloudFormation makes of it with given parameters. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, type Fields, listed, type Resource, readTemplate } from '../../../reference/template';
import { Evaluation, type Overrides } from './cloudformation';

export { at, type Fields, listed, type Resource, type Template, type Value } from '../../../reference/template';
export type { Overrides } from './cloudformation';

/** The template as written, its intrinsic functions in their long form. */
export const template = readTemplate(readFileSync(join(__dirname, '../../../template.yml'), 'utf8'));

/** @param resources of the template, as written or as SAM translates them */
export const resourcesWith = (overrides: Overrides = {}, resources = template.Resources): Record<string, Resource> =>
  new Evaluation({ ...template, Resources: resources }, overrides).resources();

export const outputsWith = (overrides: Overrides = {}) => new Evaluation(template, overrides).outputs();

export const brokenRules = (overrides: Overrides): string[] => new Evaluation(template, overrides).brokenRules();

/** Parameters that switch the loader on. */
export const LOADER = {
  InfluxDBUrl: 'https://influxdb.example.com:8086',
  InfluxDBTokenSecretName: 'influxdb/token',
  DataBucketName: 'energy',
};

/** Parameters that switch the loader and the migration on. */
export const MIGRATION = { ...LOADER, MigrationDatabaseName: 'plant' };

/** Parameters that let tokens in. */
export const TOKENS = { AuthMode: 'TOKEN', TokenSecretName: 'connector/tokens' };

export const propertiesOf = (name: string, parameters: Overrides): Fields => {
  const resource = resourcesWith(parameters)[name];
  if (!resource) throw new Error(`there is no ${name}`);
  return resource.Properties;
};

export const byType = (resources: Record<string, Resource>, type: string): [string, Resource][] =>
  Object.entries(resources).filter(([, resource]) => resource.Type === type);

/** The properties of the API. */
export const apiWith = (parameters: Overrides = {}): Fields => resourcesWith(parameters).ConnectorApi?.Properties ?? {};

/** Each operation of the API as [method, path, definition]; the method is ANY for what no other names. */
export function operationsWith(parameters: Overrides = {}): [string, string, Fields][] {
  const paths = at(apiWith(parameters), 'DefinitionBody', 'paths') as Record<string, Record<string, Fields>>;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): [string, string, Fields] => [
      method === 'x-amazon-apigateway-any-method' ? 'ANY' : method.toUpperCase(),
      path,
      operation,
    ]),
  );
}

/** The statements of the policies in and beside the roles, or of one role's own. */
export function statementsWith(parameters: Overrides = {}, role?: string): Fields[] {
  const resources = resourcesWith(parameters);
  const roles = byType(resources, 'AWS::IAM::Role').filter(([name]) => role === undefined || name === role);
  const policies = byType(resources, 'AWS::IAM::Policy').filter(
    ([, { Properties }]) => role === undefined || listed(Properties.Roles).includes(`<${role}>`),
  );
  return [
    ...roles.flatMap(([, { Properties }]) => (Properties.Policies ?? []) as Fields[]),
    ...policies.map(([, { Properties }]) => Properties),
  ].flatMap((policy) => at(policy, 'PolicyDocument', 'Statement') as Fields[]);
}
