/** template.yml as data: the part of a SAM template's form that this project uses. */
import { Pair, parse, type Tags, YAMLMap } from 'yaml';

export type Value = string | number | boolean | null | Value[] | Fields;
export type Fields = { [name: string]: Value };

export interface Parameter {
  readonly Type: string;
  readonly Default: string | number;
  readonly Description: string;
  readonly ConstraintDescription?: string;
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

/** What the console and the application repository show. */
export interface Metadata {
  readonly 'AWS::CloudFormation::Interface': {
    readonly ParameterGroups: readonly {
      readonly Label: { readonly default: string };
      readonly Parameters: readonly string[];
    }[];
    readonly ParameterLabels: Readonly<Record<string, { readonly default: string }>>;
  };
  readonly 'AWS::ServerlessRepo::Application': Readonly<
    Record<'SemanticVersion' | 'SpdxLicenseId' | 'LicenseUrl' | 'ReadmeUrl', string>
  >;
}

export interface Template {
  readonly Metadata: Metadata;
  readonly Parameters: Record<string, Parameter>;
  readonly Rules: Record<string, { RuleCondition: Value; Assertions: { Assert: Value; AssertDescription: string }[] }>;
  readonly Conditions: Record<string, Value>;
  readonly Resources: Record<string, Resource>;
  readonly Outputs: Record<string, { Description: string; Value: Value; Condition?: string }>;
}

/** The type of SAM's functions, which alone take what Globals say here. */
const FUNCTION = 'AWS::Serverless::Function';

/**
 * The template in a YAML text, its intrinsic functions in their long form, and its functions with what Globals say for them.
 * @throws where it has an anchor or an alias, which CloudFormation's own documentation does not promise to read
 */
export function readTemplate(text: string): Template {
  const functions = ['And', 'Equals', 'GetAtt', 'If', 'Join', 'Not', 'Or', 'Select', 'Split', 'Sub'];
  const keys = [['Ref', 'Ref'], ['Condition', 'Condition'], ...functions.map((name) => [name, `Fn::${name}`])];
  const tags = keys.flatMap(([tag, key = '']) => [
    { tag: `!${tag}`, resolve: (scalar: string) => ({ [key]: scalar }) },
    { tag: `!${tag}`, collection: 'seq' as const, resolve: (items: unknown) => mapping(key, items) },
  ]);
  const { Globals, ...template } = parse(text, { maxAliasCount: 0, customTags: (core: Tags) => [...core, ...tags] });
  const defaults: Fields = Globals?.Function ?? {};
  for (const resource of Object.values<{ Type: string; Properties: Fields }>(template.Resources ?? {})) {
    if (resource.Type === FUNCTION) resource.Properties = merged(defaults, resource.Properties);
  }
  return { Parameters: {}, Rules: {}, Conditions: {}, Resources: {}, Outputs: {}, ...template };
}

/** A node of the parser, which then looks inside of it; it would not look into a plain object. */
function mapping(key: string, value: unknown): YAMLMap {
  const map = new YAMLMap();
  map.items.push(new Pair(key, value));
  return map;
}

/** Source: "Globals section of the AWS SAM template": maps are merged, and lists added up. */
function merged(defaults: Fields, own: Fields): Fields {
  const result: Fields = { ...defaults, ...own };
  for (const [name, value] of Object.entries(defaults)) {
    const given = own[name];
    if (Array.isArray(value) && Array.isArray(given)) result[name] = [...value, ...given];
    else if (isFields(value) && isFields(given)) result[name] = merged(value, given);
  }
  return result;
}

export const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a path of names and indexes; undefined where there is none. */
export function at(value: Value | undefined, ...path: (string | number)[]): Value | undefined {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Fields)[step];
  }
  return found;
}

/** One value, or several, as a list of texts. */
export const listed = (value: Value | undefined): string[] => [value ?? []].flat().map(String);
