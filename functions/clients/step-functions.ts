/** Starts and describes executions of the loader's workflow. */
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  type ExecutionStatus,
  ListMapRunsCommand,
  type ListMapRunsCommandOutput,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

/** An execution. Its input and cause are JSON as text. */
export interface Execution {
  readonly status: ExecutionStatus;
  readonly input: string;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  readonly started: Date | undefined;
  readonly ended: Date | undefined;
}

/** Numbers of the items that were planned so far. */
export interface ItemCounts {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
}

export interface Executions {
  /** False if an execution with this name exists and has another input or has ended. */
  start(name: string, input: string): Promise<boolean>;
  /** Undefined if no execution has this name. */
  describe(name: string): Promise<Execution | undefined>;
  /** Adds up the map runs of the execution. It has one map run for each part of its plan, and none before the first part. */
  countItems(name: string): Promise<ItemCounts>;
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
    async countItems(name) {
      const counts = { total: 0, done: 0, failed: 0 };
      for await (const mapRunArn of mapRuns(client, arnOf(name))) {
        const { itemCounts } = await client.send(new DescribeMapRunCommand({ mapRunArn }));
        const { total = 0, succeeded = 0, failed = 0, timedOut = 0, aborted = 0 } = itemCounts ?? {};
        counts.total += total;
        counts.done += succeeded;
        counts.failed += failed + timedOut + aborted;
      }
      return counts;
    },
  };
}

async function* mapRuns(client: SFNClient, executionArn: string): AsyncGenerator<string> {
  let nextToken: string | undefined;
  do {
    const page: ListMapRunsCommandOutput = await client.send(new ListMapRunsCommand({ executionArn, nextToken }));
    for (const { mapRunArn } of page.mapRuns ?? []) if (mapRunArn !== undefined) yield mapRunArn;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;
