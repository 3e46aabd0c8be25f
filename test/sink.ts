/** A Timestream that takes every write and counts its records: the Go program of `../shared/tools/bench`, beside the project. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { freePort } from './influxd';

const SOURCE = resolve('../shared/tools/bench');

export class Sink {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  /** Builds it into `folder` and starts it. Returns why it cannot be had, where it cannot. */
  static async start(folder: string): Promise<Sink | string> {
    if (!existsSync(SOURCE)) return `${SOURCE} is not here`;
    const binary = join(folder, 'sink');
    try {
      execFileSync('go', ['build', '-o', binary, './sink'], { cwd: SOURCE, stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
      return `go cannot build it: ${(error as Error).message}`;
    }
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(binary, ['-listen', address], { stdio: ['ignore', 'ignore', 'pipe'] });
    // It says so when it listens.
    await once(child.stderr, 'data');
    child.stderr.resume();
    return new Sink(`http://${address}`, child);
  }

  /** Records of all writes. */
  async records(): Promise<number> {
    return ((await (await fetch(`${this.url}/stats`)).json()) as { records: number }).records;
  }

  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.kill();
    await exit;
  }
}
