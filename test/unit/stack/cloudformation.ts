/** What CloudFormation makes of a template with given parameters: as much of it as this project's template uses. Anything else throws, as does a reference to a missing resource. */
import { at, type Fields, isFields, type Resource, type Template, type Value } from '../../../reference/template';

export type Overrides = Readonly<Record<string, string>>;

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
