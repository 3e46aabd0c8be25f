/** The workflows as data: their states, where each leads to, and what their expressions come to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import validate from 'asl-validator';
import jsonata from 'jsonata';
import { parse } from 'yaml';
import { at, type Fields, type Overrides, resourcesWith } from './template';

interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts: number;
  readonly JitterStrategy: string;
  readonly MaxDelaySeconds: number;
}

export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Arguments?: Fields;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly Assign: Fields;
    readonly Next: string;
  }[];
  readonly Choices?: readonly { readonly Condition: string; readonly Assign?: Fields; readonly Next: string }[];
  readonly Assign?: Fields;
  readonly Default?: string;
  readonly Next?: string;
  readonly Error?: string;
  readonly Cause?: string;
  readonly MaxConcurrency?: unknown;
  readonly ToleratedFailurePercentage?: unknown;
  readonly ItemProcessor?: Machine;
}

export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export const LAMBDA_FAULTS = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/** The machine and those inside of its maps. */
export function machines(machine: Machine): Machine[] {
  const inner = Object.values(machine.States).flatMap(({ ItemProcessor }) => (ItemProcessor ? [ItemProcessor] : []));
  return [machine, ...inner.flatMap(machines)];
}

/** Where a state leads to, errors aside. */
const next = ({ Next, Default, Choices = [] }: State): string[] =>
  [Next, Default, ...Choices.map((choice) => choice.Next)].filter((name) => name !== undefined);

/** The types of the states in which a machine may end after this one. */
export function ends(machine: Machine, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return new Set();
  seen.add(name);
  const state = machine.States[name];
  if (!state) throw new Error(`there is no state ${name}`);
  const following = next(state);
  if (following.length === 0) return new Set([state.Type]);
  return new Set(following.flatMap((each) => [...ends(machine, each, seen)]));
}

/** Seconds until the last try of a state may have ended, with every wait between tries at its longest. */
export function longest({ TimeoutSeconds = 0, Retry = [] }: State): number {
  const waits = Retry.map(({ MaxAttempts, MaxDelaySeconds }) => MaxAttempts * (TimeoutSeconds + MaxDelaySeconds));
  return TimeoutSeconds + waits.reduce((sum, wait) => sum + wait, 0);
}

/** What a field's JSONata comes to with these variables, by the reference implementation. */
export const evaluate = (field: unknown, variables: Record<string, unknown>): Promise<unknown> => {
  const [, expression = ''] = /^\{%(.*)%\}$/s.exec(String(field).trim()) ?? [];
  return jsonata(expression).evaluate({}, { parse: JSON.parse, ...variables });
};

/** A workflow of the template, and the tests that hold for each of them. */
export class Workflow {
  readonly text: string;
  readonly definition: Machine & { readonly TimeoutSeconds: number };
  readonly substitutions: Fields;

  constructor(file: string, resource: string, parameters: Overrides) {
    this.text = readFileSync(join(__dirname, '../../../statemachine', file), 'utf8');
    this.definition = parse(this.text);
    this.substitutions = at(resourcesWith(parameters)[resource]?.Properties, 'DefinitionSubstitutions') as Fields;
  }

  statesOf(type: string): [string, State, Machine][] {
    return machines(this.definition).flatMap((machine) =>
      Object.entries(machine.States)
        .filter(([, state]) => state.Type === type)
        .map(([name, state]): [string, State, Machine] => [name, state, machine]),
    );
  }

  /** The tasks that are functions. */
  get steps(): [string, State, Machine][] {
    return this.statesOf('Task').filter(([, { Resource }]) => Resource?.endsWith('FunctionArn}'));
  }

  describeForm(): void {
    const { text, definition, substitutions } = this;

    test('is valid before and after substitution', () => {
      const values: Record<string, string> = { Partition: 'aws', WorkBucket: 'work-bucket' };
      const arn = 'arn:aws:lambda:us-east-1:123456789012:function:name';
      const filled = text.replaceAll(/\$\{(\w+)\}/g, (_, name) => values[name] ?? arn);
      for (const each of [definition, parse(filled)]) {
        const { isValid, errorsText } = validate(each);
        expect(errorsText('\n')).toBe('');
        expect(isValid).toBe(true);
      }
    });

    test('every substitution is made, and none for nothing', () => {
      const used = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
      expect(Object.keys(substitutions).sort()).toEqual([...used].sort());
    });

    test('CloudFormation reads it: no YAML aliases', () => {
      expect(text).not.toMatch(/(^|\s)[&*]\w+\s*$/m);
    });

    test.each(this.steps)('outlasts every try of %s', (_name, state) => {
      expect(definition.TimeoutSeconds).toBeGreaterThan(longest(state));
    });
  }

  /** @param retried the names of the project's errors after which a step is tried again */
  describeStep(
    name: string,
    state: State,
    machine: Machine,
    { parameters, retried }: { readonly parameters: Overrides; readonly retried: readonly string[] },
  ): void {
    const { Retry = [], Catch = [] } = state;

    test('is the function of that name, which ends before the state does', () => {
      const { Properties } = resourcesWith({ ...parameters, LoaderTimeoutInSeconds: '900' })[`${name}Function`] ?? {};
      expect(state.Resource).toBe(`\${${name}FunctionArn}`);
      expect(this.substitutions[`${name}FunctionArn`]).toBe(`<${name}Function.Arn>`);
      expect(state.TimeoutSeconds).toBeGreaterThan(Number(Properties?.Timeout ?? 60));
    });

    test("is tried again after Lambda's own faults, with full jitter", () => {
      const names = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
      expect(names).toEqual(expect.arrayContaining([...LAMBDA_FAULTS]));
      for (const { JitterStrategy, MaxAttempts, MaxDelaySeconds } of Retry) {
        expect(JitterStrategy).toBe('FULL');
        expect(MaxAttempts).toBeGreaterThan(0);
        expect(MaxDelaySeconds).toBeGreaterThan(0);
      }
    });

    test('is tried again after errors of a name only, of which no other try can end alike', () => {
      const named = Retry.flatMap(({ ErrorEquals }) => ErrorEquals).filter((error) => !LAMBDA_FAULTS.includes(error));
      expect(named).toEqual(retried);
    });

    test('catches what is left, and then the machine can end in Fail', () => {
      const [caught] = Catch;
      expect(Catch).toHaveLength(1);
      expect(caught?.ErrorEquals).toEqual(['States.ALL']);
      expect(ends(machine, String(caught?.Next))).toContain('Fail');
    });
  }

  /** The names in Retry and Catch that are not Lambda's, the States Language's or another service's. */
  ownErrors(): string[] {
    const states = machines(this.definition).flatMap(({ States }) => Object.values(States));
    const names = states.flatMap(({ Retry = [], Catch = [] }) => [...Retry, ...Catch]).flatMap((it) => it.ErrorEquals);
    return [...new Set(names.filter((name) => !/^(Lambda|States|StepFunctions)\./.test(name)))].sort();
  }

  /** The state to which each Catch leads, by the state that has it. */
  catches(): Record<string, string | undefined> {
    const states = [...this.statesOf('Task'), ...this.statesOf('Map')];
    return Object.fromEntries(
      states.filter(([, { Catch }]) => Catch).map(([name, { Catch }]) => [name, Catch?.[0]?.Next]),
    );
  }
}

/** The folder of a function. */
export const folderOf = (name: string): string =>
  name
    .replace('InfluxDB', 'Influxdb')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase();
