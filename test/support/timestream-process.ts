/** The embedded Timestream as a process of its own, which a test kills, pauses and starts again. */
import { once } from 'node:events';
import { QueryCommand, TimestreamQueryClient } from '@aws-sdk/client-timestream-query';
import { freePort } from './influxd';
import { startProgram } from './program';
import { ServerProcess } from './server-process';

const CLIENT = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

export class TimestreamProcess extends ServerProcess {
  static async start(): Promise<TimestreamProcess> {
    const timestream = new TimestreamProcess('timestream', await freePort());
    await timestream.restart();
    return timestream;
  }

  /** Starts the server (again) on the same port and folder; resolves when it listens. */
  override async restart(): Promise<void> {
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

  /** The rows of a query. */
  async select(QueryString: string): Promise<(string | null)[][]> {
    const client = new TimestreamQueryClient({ ...CLIENT, endpoint: this.url });
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
}
