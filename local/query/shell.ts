/** Prompts for statements on a terminal and runs them. */
import { createInterface } from 'node:readline/promises';
import { messageOf } from '../cli/ending';
import { notACommand, SHORT_FORMS, sqlOf } from './statement';

const PROMPT = 'timestream> ';
const CONTINUED = '       ...> ';

export interface ShellOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly database: string;
  /** Runs SQL and shows its result. */
  readonly run: (sql: string) => Promise<void>;
}

const COMMAND = /^(?:\.\S.*|exit|quit|help)\s*;?\s*$/i;
const QUIT = /^\.?(?:exit|quit)$/i;
const HELP = /^\.?help$/i;

/**
 * Ends with `.quit` or the end of the input. If a statement fails, its error is shown and the prompt returns. Commands also work
 * inside a statement. Ctrl-C drops a half-typed statement; without one it ends the prompt.
 */
export async function shell({ input, output, database, run }: ShellOptions): Promise<void> {
  const lines = createInterface({ input, output, prompt: PROMPT });
  output.write(`${SHORT_FORMS}\n`);
  let statement = '';
  const prompt = (): void => {
    lines.setPrompt(statement === '' ? PROMPT : CONTINUED);
    lines.prompt();
  };
  lines.on('SIGINT', () => {
    if (statement === '' && lines.line === '') return lines.close();
    statement = '';
    output.write('\n');
    // Clears the line that was typed.
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    prompt();
  });
  const show = async (sql: string): Promise<void> => {
    await run(sql).catch((error: unknown) => {
      output.write(`${error instanceof Error ? messageOf(error) : String(error)}\n`);
    });
  };
  prompt();
  for await (const line of lines) {
    const command = COMMAND.test(line.trim()) ? line.trim().replace(/\s*;$/, '') : undefined;
    if (command !== undefined) {
      if (QUIT.test(command)) break;
      const sql = sqlOf(command, database);
      if (HELP.test(command)) output.write(`${SHORT_FORMS}\n`);
      else if (sql === undefined) output.write(`${notACommand(command)}\n`);
      else await show(sql);
    } else {
      statement = statement === '' ? line.trim() : `${statement}\n${line}`;
      if (statement.trimEnd().endsWith(';')) {
        const sql = sqlOf(statement, database);
        statement = '';
        if (sql !== undefined && sql !== '') await show(sql);
      }
    }
    prompt();
  }
  lines.close();
}
