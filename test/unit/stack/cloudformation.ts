/**
 * CloudFormation templates as data, and what CloudFormation makes of one with given parameters: as much of it as this project's
 * template uses. Anything else throws, as does a reference to what is not there.
 */
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
  readonly Outputs: Record<string, { Value: Value; Condition?: string }>;
}

export type Overrides = Readonly<Record<string, string>>;

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

const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is left of a value that is AWS::NoValue. */
const NOTHING = Symbol('AWS::NoValue');

/** A template with these parameters, the others at their defaults. */
export class Evaluation {
  constructor(
    private readonly template: Template,
    private readonly overrides: Overrides = {},
  ) {
    const unknown = Object.keys(overrides).find((name) => !(name in template.Parameters));
    if (unknown !== undefined) throw new Error(`there is no parameter ${unknown}`);
  }

  /**
   * The resources that are there, conditions decided and functions replaced. What only a deployment knows stays recognisable: `<Name>`
   * for a resource, `<Name.Attribute>` for an attribute of it.
   */
  resources(): Record<string, Resource> {
    const kept = Object.entries(this.template.Resources).filter(([name]) => this.isThere(name));
    // The resources are fields like any other; their types come back with them.
    return this.value(Object.fromEntries(kept) as unknown as Fields) as unknown as Record<string, Resource>;
  }

  outputs(): Record<string, Value> {
    const kept = Object.entries(this.template.Outputs).filter(([, { Condition }]) => this.holds(Condition));
    return Object.fromEntries(kept.map(([name, output]) => [name, this.value(output.Value)]));
  }

  /** What the rules say against the parameters. */
  brokenRules(): string[] {
    return Object.values(this.template.Rules)
      .filter((rule) => this.value(rule.RuleCondition) === true)
      .flatMap((rule) => rule.Assertions.filter(({ Assert }) => this.value(Assert) !== true))
      .map(({ AssertDescription }) => AssertDescription);
  }

  value(value: Value): Value {
    const result = this.valueOrNothing(value);
    if (result === NOTHING) throw new Error('AWS::NoValue where a value is needed');
    return result as Value;
  }

  private valueOrNothing(value: Value): Value | typeof NOTHING {
    if (Array.isArray(value)) {
      return value.map((item) => this.valueOrNothing(item)).filter((item): item is Value => item !== NOTHING);
    }
    if (!isFields(value)) return value;

    const [first, ...others] = Object.entries(value);
    if (!first || others.length > 0 || !isFunction(first[0], first[1])) {
      const entries = Object.entries(value).map(([name, part]) => [name, this.valueOrNothing(part)] as const);
      return Object.fromEntries(entries.filter((entry): entry is [string, Value] => entry[1] !== NOTHING));
    }
    return this.call(...first);
  }

  private call(name: string, argument: Value): Value | typeof NOTHING {
    const list = Array.isArray(argument) ? argument : [argument];
    const [a = '', b = '', c = ''] = list;
    switch (name) {
      case 'Ref':
        return a === 'AWS::NoValue' ? NOTHING : this.reference(String(a));
      case 'Fn::GetAtt':
        return this.attribute(list.map(String).join('.'));
      case 'Fn::If':
        return this.valueOrNothing(this.holds(String(a)) ? b : c);
      case 'Condition':
        return this.holds(String(a));
      case 'Fn::And':
        return list.every((part) => this.value(part) === true);
      case 'Fn::Or':
        return list.some((part) => this.value(part) === true);
      case 'Fn::Join':
        return (this.value(b) as Value[]).join(String(a));
      case 'Fn::Split':
        return String(this.value(b)).split(String(a));
      case 'Fn::Equals':
        // Parameters are texts, whatever their type.
        return String(this.value(a)) === String(this.value(b));
      case 'Fn::Not':
        return this.value(a) !== true;
      case 'Fn::Select':
        return at(this.value(b), Number(a)) ?? '';
      case 'Fn::Sub': {
        const variables = this.value(isFields(b) ? b : {});
        const named = (key: string): Value =>
          at(variables, key) ?? (key.includes('.') ? this.attribute(key) : this.reference(key));
        return String(a).replace(/\$\{([^}]+)\}/g, (_, key) => String(named(key)));
      }
      default:
        throw new Error(`${name} is not known here`);
    }
  }

  private reference(name: string): string {
    const parameter = this.template.Parameters[name];
    if (parameter) return this.overrides[name] ?? String(parameter.Default);
    if (!name.startsWith('AWS::')) this.mustBeThere(name);
    return `<${name}>`;
  }

  private attribute(name: string): string {
    this.mustBeThere(name.split('.')[0] ?? '');
    return `<${name}>`;
  }

  private mustBeThere(name: string): void {
    if (!this.isThere(name)) throw new Error(`a reference to ${name}, which is not there`);
  }

  private isThere(name: string): boolean {
    const resource = this.template.Resources[name];
    return resource !== undefined && this.holds(resource.Condition);
  }

  private holds(condition: string | undefined): boolean {
    if (condition === undefined) return true;
    const found = this.template.Conditions[condition];
    if (found === undefined) throw new Error(`there is no condition ${condition}`);
    return this.value(found) === true;
  }
}

/** A policy statement has a field named Condition, too: its value is no name. */
function isFunction(name: string, argument: Value): boolean {
  return name === 'Ref' || name.startsWith('Fn::') || (name === 'Condition' && typeof argument === 'string');
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

/** One value, or several, as a list of texts. */
export const listed = (value: Value | undefined): string[] => [value ?? []].flat().map(String);
