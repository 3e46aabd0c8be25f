/** Prompts for statements on a terminal and runs them. */
import { createInterface } from 'node:readline/promises';
import { messageOf } from '../cli/ending';
import { SHORT_FORMS, sqlOf } from './statement';

export interface ShellOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly database: string;
  /** Runs SQL and shows its result. */
  readonly run: (sql: string) => Promise<void>;
}

/** Ends with `.quit` or the end of the input. If a statement fails, its error is shown and the prompt returns. */
export async function shell({ input, output, database, run }: ShellOptions): Promise<void> {
  const lines = createInterface({ input, output, prompt: 'timestream> ' });
  output.write(`${SHORT_FORMS}\n`);
  let statement = '';
  lines.prompt();
  for await (const line of lines) {
    statement = statement === '' ? line.trim() : `${statement}\n${line}`;
    if (statement === '.quit' || statement === '.exit') break;
    const isShort = statement.startsWith('.');
    if (isShort || statement.trimEnd().endsWith(';')) {
      const sql = sqlOf(statement, database);
      statement = '';
      if (sql === undefined) output.write(`${SHORT_FORMS}\n`);
      else {
        await run(sql).catch((error: unknown) => {
          output.write(`${error instanceof Error ? messageOf(error) : String(error)}\n`);
        });
      }
    }
    lines.setPrompt(statement === '' ? 'timestream> ' : '       ...> ');
    lines.prompt();
  }
  lines.close();
}
