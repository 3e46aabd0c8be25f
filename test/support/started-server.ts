/** The local server, started as `npm start` does, as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = join(__dirname, '../../bin/influxdb-timestream.mjs');

export class StartedServer {
  private constructor(
    private readonly child: ChildProcess,
    /** Of the write endpoint and the console. */
    readonly url: string,
  ) {
    child.on('exit', this.reportExit);
  }

  private readonly reportExit = (code: number | null, signal: string | null): void => {
    process.stderr.write(`the server ended by itself: ${signal ?? `exit code ${code}`}\n`);
  };

  /**
   * Starts it with data in memory, and returns once it listens.
   * @param args in addition; the ports are free ones, unless they are given
   * @param environment in addition to this process's
   */
  static async start(args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<StartedServer> {
    const given = ['start', '--memory', '--port', '0', '--timestream-port', '0', ...args];
    const child = spawn(process.execPath, [PROGRAM, ...given], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const [, url] = line.match(/^InfluxDB v2 write endpoint: (\S+)/) ?? [];
      if (url === undefined) continue;
      // Its log must not fill the pipe.
      child.stdout.resume();
      return new StartedServer(child, url);
    }
    throw new Error('the server ended before it listened');
  }

  get port(): string {
    return new URL(this.url).port;
  }

  /** Writes lines with precision ms. Returns the status. */
  async write(lines: readonly string[], token?: string): Promise<number> {
    const response = await fetch(`${this.url}/api/v2/write?precision=ms`, {
      method: 'POST',
      body: lines.join('\n'),
      ...(token !== undefined && { headers: { Authorization: `Token ${token}` } }),
    });
    await response.text();
    return response.status;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.off('exit', this.reportExit);
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}
