/** The embedded Timestream as a process of its own, which a test kills, pauses and starts again. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QueryCommand, TimestreamQueryClient } from '@aws-sdk/client-timestream-query';
import { freePort } from './influxd';
import { startProgram } from './program';

const CLIENT = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

export class TimestreamProcess {
  private process: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'timestream-'));

  private constructor(readonly port: number) {}

  static async start(): Promise<TimestreamProcess> {
    const timestream = new TimestreamProcess(await freePort());
    await timestream.restart();
    return timestream;
  }

  /** Starts the server (again) on the same port and folder; resolves when it listens. */
  async restart(): Promise<void> {
    const child = startProgram('test/support/timestream-program.ts', { arguments: [String(this.port), this.folder] });
    this.process = child;
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += text;
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error(`Timestream ended: ${errors}`);
    });
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => undefined);
  }

  pause(): void {
    this.process?.kill('SIGSTOP');
  }

  resume(): void {
    this.process?.kill('SIGCONT');
  }

  /** Kills the server as in a crash; resolves when it has ended. */
  async kill(): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (!running || running.exitCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  /** The rows of a query. */
  async select(QueryString: string): Promise<(string | null)[][]> {
    const client = new TimestreamQueryClient({ ...CLIENT, endpoint: `http://127.0.0.1:${this.port}` });
    const rows: (string | null)[][] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(new QueryCommand({ QueryString, NextToken }));
      rows.push(...(page.Rows ?? []).map(({ Data }) => (Data ?? []).map(({ ScalarValue }) => ScalarValue ?? null)));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    client.destroy();
    return rows;
  }

  /** Kills the server and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
