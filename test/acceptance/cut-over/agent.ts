/** Telegraf's agent with outputs.influxdb_v2, as a process that writes without pause. It prints each point that it has delivered. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { GO_BINARY } from '../clients';
import { canonical, sorted, type Value } from '../differential/stored';

interface Printed {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly time: string;
  readonly fields: Readonly<Record<string, readonly [type: Value['type'], value: string]>>;
  readonly delivered: boolean;
}

export class Agent {
  /** Points that the agent has delivered: the endpoint has acknowledged them. */
  delivered = 0;
  /** Points that the agent has given up. */
  dropped = 0;
  /** The field values of the delivered points. */
  readonly values: Value[] = [];
  errors = '';
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(url: string) {
    this.child = spawn(GO_BINARY, ['telegraf-agent']);
    this.child.stderr.on('data', (text) => {
      this.errors += text;
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.settle(JSON.parse(line) as Printed));
    this.child.stdin.write(JSON.stringify({ URL: url, Token: 'any' }));
  }

  /** Lets the agent make `count` points with times of about so many days ago, and resolves when more than these are delivered. */
  async writeLate(count: number, days: number): Promise<void> {
    const before = this.delivered;
    this.child.stdin.write(JSON.stringify({ late: count, days }));
    await this.until(before + 2 * count);
  }

  /** Resolves when `count` more points are delivered. */
  deliver(count: number): Promise<void> {
    return this.until(this.delivered + count);
  }

  /** Lets the agent deliver what it has, and end. Returns its exit code. */
  async end(): Promise<number | null> {
    const closed = once(this.child, 'close');
    this.child.stdin.end();
    const [code] = await closed;
    return code;
  }

  /** Ends the agent at once. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async until(delivered: number): Promise<void> {
    while (this.delivered < delivered) {
      if (this.child.exitCode !== null) throw new Error(`the agent ended: ${this.errors}`);
      await wait(50);
    }
  }

  private settle({ measurement, tags, time, fields, delivered }: Printed): void {
    if (!delivered) {
      this.dropped++;
      return;
    }
    this.delivered++;
    for (const [field, [type, value]] of Object.entries(fields)) {
      const series = { measurement, tags: sorted(Object.entries(tags)), time: BigInt(time) };
      this.values.push({ ...series, field, type, value: canonical(type, value) });
    }
  }
}
