/** Executions of a workflow in moto's engine of the States Language, with given responses of its functions. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { pythonWith, runPython } from './python';
import { describeProof } from './report';

const MOTO = 'moto[stepfunctions]==5.2.5';
const moto = pythonWith('moto.stepfunctions, jsonata', MOTO, 'jsonata-python==0.7.1');

export type Definition = { readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>> } & Record<
  string,
  unknown
>;

export const arnOf = (name: string): string => `arn:aws:lambda:us-east-1:123456789012:function:${name}`;

/** A definition of statemachine/, with the names of its functions in place of their ARNs. */
export function readDefinition(file: string): Definition {
  const text = readFileSync(path.resolve(__dirname, '../../statemachine', file), 'utf8');
  const values: Readonly<Record<string, string>> = { Partition: 'aws', WorkBucket: 'work' };
  return parse(
    text.replace(/\$\{(\w+?)(?:FunctionArn)?\}/g, (_, name: string) => values[name] ?? arnOf(name)),
  ) as Definition;
}

export type Response = { readonly result: unknown } | { readonly error: string; readonly message: string };
/** The responses of each function; the last one is repeated. */
export type Responses = Readonly<Record<string, readonly Response[]>>;

export const error = (name: string, message = 'what "happened"'): Response => ({ error: name, message });
export const times = (count: number, response: Response): Response[] => Array<Response>(count).fill(response);
export const is = (result: unknown): readonly Response[] => [{ result }];

export interface Execution {
  readonly name: string;
  readonly definition?: Definition;
  readonly input?: object;
  readonly responses: Responses;
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly calls: readonly string[];
  /** Of the last call. */
  readonly given?: object;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

interface Ended {
  readonly status: string;
  readonly output: unknown;
  readonly error: string | null;
  readonly cause: string | null;
  readonly calls: readonly (readonly [name: string, input: Readonly<Record<string, unknown>>])[];
}

/** @param common the definition and input of executions that have none of their own */
export function describeExecutions(
  all: readonly Execution[],
  common: { readonly definition: Definition; readonly input: object },
): void {
  describeProof(`${MOTO.replace('==', ' ')}, an engine of the States Language`, moto.missing, () => {
    let ended: readonly Ended[];
    beforeAll(async () => {
      const executions = all.map(({ responses, definition = common.definition, input = common.input }) => ({
        definition,
        input,
        responses,
      }));
      ended = (await runPython(moto.python, 'moto_run.py', executions)) as Ended[];
    });

    test.each(all.map((execution, index) => [execution.name, execution, index] as const))(
      '%s',
      (_, expected, index) => {
        const { status, calls, given, output, error: name, cause } = expected;
        const found = ended[index];
        expect({ status: found?.status, calls: found?.calls.map(([each]) => each) }).toEqual({ status, calls });
        if (given !== undefined) expect(found?.calls.at(-1)?.[1]).toEqual(given);
        if (output !== undefined) expect(found?.output).toEqual(output);
        if (name !== undefined) expect(found?.error).toBe(name);
        if (cause !== undefined) expect(found?.cause).toBe(cause);
      },
    );
  });
}
