/** The calls of the deployed functions to AWS, recorded by the Node.js that runs them, not by their code. */
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { STACK } from '../../support/ministack';
import { template } from '../../unit/stack/template';

/** The name of the write function. */
export const WRITER = String(template.Parameters.LambdaName?.Default);

export interface FunctionCall {
  /** Logical id of the function. */
  readonly function: string;
  readonly service: string;
  readonly operation: string;
  readonly status: number;
  readonly denied: boolean;
}

export class FunctionCalls {
  private readonly folder = mkdtempSync(path.join(tmpdir(), 'calls-'));
  private readonly file = path.join(this.folder, 'calls.jsonl');

  /** The variables that the emulator must pass to the functions. */
  get environment(): Readonly<Record<string, string>> {
    return { NODE_OPTIONS: `--require=${path.join(__dirname, 'record-calls.cjs')}`, CALLS_FILE: this.file };
  }

  /** The calls since the last time. */
  take(): FunctionCall[] {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
    truncateSync(this.file);
    return lines.map((line) => {
      const call = JSON.parse(line) as FunctionCall;
      return { ...call, function: logicalId(call.function) };
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The template names the write function; CloudFormation names the others. */
const logicalId = (name: string): string =>
  name === WRITER ? 'WriteLineProtocolFunction' : name.replace(new RegExp(`^${STACK}-(\\w+)-\\w+$`), '$1');
