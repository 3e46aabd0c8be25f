/** The Go program in test/tools/bench/sink: a fake Timestream, independent of the embedded one, that checks the connector's calls. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './influxd';
import { expandCall, type PlainRecord } from './timestream-calls';

/** Relative to the project's root, in which programs and tests run. */
const SOURCES = resolve('test/tools/bench');

/** A failure for the sink: which calls fail (every n-th, a number of them, with a text in their body), and how. */
export interface SinkFault {
  readonly type?: string;
  readonly message?: string;
  readonly status?: number;
  readonly action?: 'close' | 'hang';
  readonly contains?: string;
  readonly op?: string;
  /** -1: without end. */
  readonly count: number;
  readonly every?: number;
}

/** Why the sink cannot be built on this machine; undefined if it can. */
export function missingSink(): string | undefined {
  return spawnSync('go', ['version']).status === 0 ? undefined : 'no go: install Go 1.26 (https://go.dev/dl)';
}

/** `describe` if the sink can be built; otherwise a skipped `describe` with the reason in its name. */
export function describeWithSink(name: string, tests: () => void): void {
  const missing = missingSink();
  if (missing === undefined) describe(name, tests);
  else describe.skip(`${name} (${missing})`, tests);
}

export class Sink {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  /**
   * Builds and starts the sink.
   * @param isStrict checks the documented limits, requires tables to be created, and keeps the calls for `records`; otherwise the sink
   *   accepts and counts everything
   */
  static async start({ isStrict = true } = {}): Promise<Sink> {
    const folder = mkdtempSync(join(tmpdir(), 'sink-'));
    const binary = join(folder, 'sink');
    execFileSync('go', ['build', '-o', binary, './sink'], {
      cwd: SOURCES,
    });
    const listen = `127.0.0.1:${await freePort()}`;
    const strict = isStrict ? ['-validate', '-track', '-dump', join(folder, 'dump')] : [];
    const running = spawn(binary, ['-listen', listen, ...strict], { stdio: 'ignore' });
    const sink = new Sink(`http://${listen}`, folder, running);
    const exited = once(running, 'exit').then(() => 'exited');
    for (let state: unknown; state !== true; ) {
      state = await Promise.race([exited, sink.isReady()]);
      if (state === 'exited') throw new Error(`the sink ended with code ${running.exitCode}`);
    }
    return sink;
  }

  async fault(fault: SinkFault): Promise<void> {
    const response = await fetch(`${this.url}/fault`, { method: 'POST', body: JSON.stringify(fault) });
    if (!response.ok) throw new Error(`the sink refused a fault: ${response.status} ${await response.text()}`);
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.url}/fault`, { method: 'DELETE' });
  }

  /** The number of records of all writes. */
  async count(): Promise<number> {
    return ((await (await fetch(`${this.url}/stats`)).json()) as { records: number }).records;
  }

  /** The records of calls without a provoked failure, in order, including calls for missing tables. */
  records(table: string): PlainRecord[] {
    const calls = readFileSync(join(this.folder, 'dump'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return calls.flatMap((line) => {
      const { target, fault, body } = JSON.parse(line) as {
        target: string;
        fault?: string;
        body: { TableName?: string };
      };
      if (target !== 'WriteRecords' || fault !== undefined || body.TableName !== table) return [];
      return expandCall(Buffer.from(JSON.stringify(body))).records;
    });
  }

  async stop(): Promise<void> {
    this.process.kill();
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private isReady(): Promise<boolean> {
    return fetch(`${this.url}/stats`).then(
      (response) => response.ok,
      () => false,
    );
  }
}
