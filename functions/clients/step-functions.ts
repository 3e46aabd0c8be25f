/** Executions of the loader's workflow. */
import { DescribeExecutionCommand, type ExecutionStatus, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';

/** An execution; its input and cause are texts. */
export interface Execution {
  readonly status: ExecutionStatus;
  readonly input: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly started: Date | undefined;
  readonly ended: Date | undefined;
}

export interface Executions {
  /** False where there is an execution of that name already, which has another input or has ended. */
  start(name: string, input: string): Promise<boolean>;
  /** Undefined where there is none. */
  describe(name: string): Promise<Execution | undefined>;
}

export function executionsOf(stateMachineArn: string, client = new SFNClient({})): Executions {
  const arnOf = (name: string) => `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    async start(name, input) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input }));
        return true;
      } catch (error) {
        if (isNamed(error, 'ExecutionAlreadyExists')) return false;
        throw error;
      }
    },
    async describe(name) {
      try {
        const found = await client.send(new DescribeExecutionCommand({ executionArn: arnOf(name) }));
        const { status = 'RUNNING', input = '', error, cause, startDate: started, stopDate: ended } = found;
        return { status, input, error, cause, started, ended };
      } catch (error) {
        if (isNamed(error, 'ExecutionDoesNotExist')) return undefined;
        throw error;
      }
    },
  };
}

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;
