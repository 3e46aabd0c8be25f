/** A server as a process of its own, which a test pauses, kills and starts again in the same folder. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export abstract class ServerProcess {
  protected process: ChildProcess | undefined;
  protected readonly folder: string;

  protected constructor(
    name: string,
    readonly port: number,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Undefined while the server is not running. */
  get pid(): number | undefined {
    return this.process?.pid;
  }

  /** Starts the server (again) on the same port and folder; resolves when it is ready. */
  abstract restart(): Promise<void>;

  /** Stops the server without ending it: its connections stay open. */
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

  /** Kills the server and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
