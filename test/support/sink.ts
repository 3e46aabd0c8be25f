/** The Go program in test/tools/bench/sink, a fake of Timestream written independently of the embedded one: a second opinion on what the connector sends. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './influxd';
import { expandCall, type PlainRecord } from './timestream-calls';

/** From the project's root, in which programs and tests run. */
const SOURCES = resolve('test/tools/bench');

/** A fault in the terms of the sink: which calls (every n-th, so many of them, with a text in their body), and what becomes of them. */
export interface SinkFault {
  readonly type?: string;
  readonly message?: string;
  readonly status?: number;
  readonly action?: 'close' | 'hang';
  readonly contains?: string;
  readonly op?: string;
  /** -1: for ever. */
  readonly count: number;
  readonly every?: number;
}

/** Why the sink cannot be built here; undefined where it can. */
export function missingSink(): string | undefined {
  return spawnSync('go', ['version']).status === 0 ? undefined : 'no go: install Go 1.26 (https://go.dev/dl)';
}

/** `describe` where the sink can be built; else a skipped one whose name says why. */
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
   * Builds and starts one.
   * @param isStrict whether it checks the documented limits, has no table that was not created, and keeps the calls for `records`; else it
   *   takes and counts everything
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

  /** Records of all writes. */
  async count(): Promise<number> {
    return ((await (await fetch(`${this.url}/stats`)).json()) as { records: number }).records;
  }

  /** The records of the calls that met no fault, in their order; among them those of calls for a table that was missing. */
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
