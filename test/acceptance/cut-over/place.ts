/** A folder with the write endpoint as a process, whose destination changes, and the commands that are run beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { type Ended, ROOT, runProgram } from '../../contract/cli/program';
import { BUCKET, freePort, type Influxd, ORG, TOKEN } from '../../support/influxd';

const DATABASE = 'influxdb-line-protocol';

export type Destination = 'timestream' | 'both' | 'influxdb';

interface Proof {
  readonly proved: boolean;
  readonly differences: readonly unknown[];
}

export interface Migrated extends Ended {
  readonly proof: Proof | undefined;
}

export class CutOverPlace {
  private readonly folder = mkdtempSync(join(tmpdir(), 'cut-over-'));
  private running: ChildProcess | undefined;

  private constructor(
    private readonly influxd: Influxd,
    private readonly port: number,
    private readonly timestreamPort: number,
  ) {}

  static async make(influxd: Influxd): Promise<CutOverPlace> {
    return new CutOverPlace(influxd, await freePort(), await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts the endpoint on its port and resolves when it is ready. */
  async start(destination: Destination, ...more: readonly string[]): Promise<void> {
    const timestream = destination === 'influxdb' ? [] : ['--timestream-port', String(this.timestreamPort)];
    const options = ['--port', String(this.port), '--destination', destination, ...timestream, ...more];
    const settings = destination === 'timestream' ? [] : this.influxdbOptions;
    const argv = [join(ROOT, 'bin/influxdb-timestream.mjs'), 'start', ...options, ...settings];
    const child = spawn(process.execPath, argv, { cwd: this.folder, env: { PATH: process.env.PATH } });
    this.running = child;
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += text;
    });
    const lines = createInterface({ input: child.stdout });
    const ready = await new Promise<boolean>((resolve) => {
      lines.on('line', (line) => line.includes('Ctrl-C stops') && resolve(true));
      child.once('exit', () => resolve(false));
    });
    if (!ready) throw new Error(`the endpoint ended before it was ready: ${errors}`);
  }

  /** Ends the endpoint with a signal; nothing if none runs. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { running } = this;
    this.running = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, 'exit');
    running.kill(signal);
    await exited;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true });
  }

  /** Writes lines through the endpoint. */
  async write(...lines: readonly string[]): Promise<number> {
    const init = { method: 'POST', body: lines.join('\n'), headers: { Connection: 'close' } };
    return (await fetch(`${this.url}/api/v2/write?org=any&bucket=any`, init)).status;
  }

  /** Runs `migrate` with the options of the page, and others. */
  async migrate(...more: readonly string[]): Promise<Migrated> {
    const timestream = ['--timestream', `http://127.0.0.1:${this.timestreamPort}`];
    const { url, org, bucket, token } = { url: this.influxd.url, org: ORG, bucket: BUCKET, token: TOKEN };
    const target = ['--url', url, '--org', org, '--bucket', bucket, '--token', token];
    const options = ['--database', DATABASE, '--measure-name', 'drop', ...timestream, ...target, ...more];
    const ended = await runProgram(['migrate', ...options], { cwd: this.folder });
    const [, file] = /^Proof: (.*)$/m.exec(ended.out) ?? [];
    const proof =
      file === undefined ? undefined : (JSON.parse(readFileSync(resolve(this.folder, file), 'utf8')) as Proof);
    return { ...ended, proof };
  }

  private get influxdbOptions(): string[] {
    const { url } = this.influxd;
    return ['--influxdb-url', url, '--influxdb-org', ORG, '--influxdb-bucket', BUCKET, '--influxdb-token', TOKEN];
  }
}
