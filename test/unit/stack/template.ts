/** template.yml as data, and what CloudFormation makes of it with given parameters. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pair, parse, type Tags, YAMLMap } from 'yaml';

export type Value = string | number | boolean | null | Value[] | Fields;
export type Fields = { [name: string]: Value };

export interface Parameter {
  readonly Type: string;
  readonly Default: string | number;
  readonly Description: string;
  readonly AllowedValues?: readonly string[];
  readonly AllowedPattern?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
}

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly Metadata: Fields;
  readonly Properties: Fields;
}

export interface Template {
  readonly Parameters: Record<string, Parameter>;
  readonly Rules: Record<string, { RuleCondition: Value; Assertions: { Assert: Value; AssertDescription: string }[] }>;
  readonly Conditions: Record<string, Value>;
  readonly Resources: Record<string, Resource>;
  readonly Outputs: Record<string, { Value: Value; Condition?: string }>;
}

/** The template as written, its intrinsic functions in their long form. */
export const template = loadTemplate();

function loadTemplate(): Template {
  const functions = ['And', 'Equals', 'GetAtt', 'If', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub'];
  const keys = [['Ref', 'Ref'], ['Condition', 'Condition'], ...functions.map((name) => [name, `Fn::${name}`])];
  const tags = keys.flatMap(([tag, key = '']) => [
    { tag: `!${tag}`, resolve: (text: string) => ({ [key]: text }) },
    { tag: `!${tag}`, collection: 'seq' as const, resolve: (items: unknown) => mapping(key, items) },
  ]);
  const text = readFileSync(join(__dirname, '../../../template.yml'), 'utf8');
  return parse(text, { merge: true, customTags: (core: Tags) => [...core, ...tags] });
}

/** A node of the parser, which then replaces the aliases inside of it; it would not look into a plain object. */
function mapping(key: string, value: unknown): YAMLMap {
  const map = new YAMLMap();
  map.items.push(new Pair(key, value));
  return map;
}

export type Overrides = Record<string, string>;

/**
 * The template's resources with these parameters, the others at their defaults: conditions decided and functions replaced. What
 * only a deployment knows stays recognisable: `<Name>` for a resource, `<Name.Attribute>` for an attribute of it.
 * @param resources of the template, as written or as SAM translates them
 */
export function resourcesWith(overrides: Overrides = {}, resources = template.Resources): Record<string, Resource> {
  const kept = Object.entries(resources).filter(
    ([, { Condition }]) => !Condition || evaluate(condition(Condition), overrides) === true,
  );
  // The resources are fields like any other; their types come back with them.
  return evaluate(Object.fromEntries(kept) as unknown as Fields, overrides) as unknown as Record<string, Resource>;
}

/** Parameters that switch the loader on. */
export const LOADER = { InfluxDBUrl: 'https://influxdb.example.com:8086', InfluxDBTokenSecretName: 'influxdb/token' };

export const byType = (resources: Record<string, Resource>, type: string): [string, Resource][] =>
  Object.entries(resources).filter(([, resource]) => resource.Type === type);

/** Parameters that let tokens in. */
export const TOKENS = { AuthMode: 'TOKEN', TokenSecretName: 'connector/tokens' };

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

/** One value, or several, as a list of texts. */
export const listed = (value: Value | undefined): string[] => [value ?? []].flat().map(String);

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

/** What the template's rules say against these parameters. */
export function brokenRules(overrides: Overrides): string[] {
  return Object.values(template.Rules)
    .filter((rule) => evaluate(rule.RuleCondition, overrides) === true)
    .flatMap((rule) => rule.Assertions.filter(({ Assert }) => evaluate(Assert, overrides) !== true))
    .map(({ AssertDescription }) => AssertDescription);
}

/** The value at a path of names and indexes; undefined where there is none. */
export function at(value: Value | undefined, ...path: (string | number)[]): Value | undefined {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Fields)[step];
  }
  return found;
}

/** What is left of a value that is AWS::NoValue. */
const NOTHING = Symbol('AWS::NoValue');

function evaluate(value: Value, overrides: Overrides): Value {
  const result = evaluateOrNothing(value, overrides);
  if (result === NOTHING) throw new Error('AWS::NoValue where a value is needed');
  return result as Value;
}

function evaluateOrNothing(value: Value, overrides: Overrides): Value | typeof NOTHING {
  const inner = (part: Value): Value | typeof NOTHING => evaluateOrNothing(part, overrides);
  if (Array.isArray(value)) return value.map(inner).filter((item) => item !== NOTHING);
  if (typeof value !== 'object' || value === null) return value;

  const [first] = Object.entries(value);
  if (!first || Object.keys(value).length > 1 || !isFunction(first[0], first[1])) {
    const entries = Object.entries(value).map(([name, part]) => [name, inner(part)] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, Value] => entry[1] !== NOTHING));
  }
  const [name, argument] = first;
  const list = Array.isArray(argument) ? argument : [argument];
  const [a = '', b = '', c = ''] = list;
  switch (name) {
    case 'Ref':
      return a === 'AWS::NoValue' ? NOTHING : reference(String(a), overrides);
    case 'Fn::GetAtt':
      return `<${list.join('.')}>`;
    case 'Fn::If':
      return inner(evaluate(condition(String(a)), overrides) === true ? b : c);
    case 'Condition':
      return inner(condition(String(a)));
    case 'Fn::And':
      return list.every((part) => inner(part) === true);
    case 'Fn::Or':
      return list.some((part) => inner(part) === true);
    case 'Fn::Join':
      return (evaluate(b, overrides) as Value[]).join(String(a));
    case 'Fn::Split':
      return String(inner(b)).split(String(a));
    case 'Fn::Equals':
      return inner(a) === inner(b);
    case 'Fn::Not':
      return inner(a) !== true;
    case 'Fn::Select':
      return at(evaluate(b, overrides), Number(a)) ?? '';
    case 'Fn::Sub': {
      const variables = evaluate(typeof b === 'object' ? b : {}, overrides);
      return String(a).replace(/\$\{([^}]+)\}/g, (_, key) => String(at(variables, key) ?? reference(key, overrides)));
    }
    default:
      throw new Error(`${name} is not known here`);
  }
}

/** A policy statement has a field named Condition, too: its value is no name. */
function isFunction(name: string, argument: Value): boolean {
  return name === 'Ref' || name.startsWith('Fn::') || (name === 'Condition' && typeof argument === 'string');
}

function reference(name: string, overrides: Overrides): string {
  const parameter = template.Parameters[name];
  return parameter ? (overrides[name] ?? String(parameter.Default)) : `<${name}>`;
}

function condition(name: string): Value {
  const found = template.Conditions[name];
  if (found === undefined) throw new Error(`no condition ${name}`);
  return found;
}
