/** The connector as one side of a comparison: over HTTP, each case with a database of its own. */

import { QueryCommand } from '@aws-sdk/client-timestream-query';
import { type RunningConnector, startConnector } from '../../../local/connector/server';
import { connectorOver, type Stack } from '../../contract/connector/harness';
import { type Harness, startHarness } from '../../contract/timestream/harness';
import { canonical, type Outcome, type Request, sorted, type Value } from './stored';

const TYPES: Readonly<Record<string, Value['type']>> = {
  DOUBLE: 'float',
  BIGINT: 'integer',
  BOOLEAN: 'boolean',
  VARCHAR: 'string',
};

export class ConnectorSide {
  private cases = 0;

  private constructor(
    private readonly timestream: Harness,
    private readonly connector: RunningConnector,
    private readonly use: (handler: Stack['handler']) => void,
  ) {}

  static async start(): Promise<ConnectorSide> {
    const timestream = await startHarness({ now: Date.now });
    let current: Stack['handler'] | undefined;
    const connector = await startConnector({
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 10_485_760,
      log: () => undefined,
      handler: (event) => current?.(event) ?? Promise.reject(new Error('no case is under way')),
    });
    return new ConnectorSide(timestream, connector, (handler) => {
      current = handler;
    });
  }

  async remove(): Promise<void> {
    await this.connector.close();
    await this.timestream.close();
  }

  /** @param environment the connector's configuration in this case */
  async write(requests: readonly Request[], environment: Readonly<Record<string, string>>): Promise<Outcome> {
    const database = `case-${this.cases++}`;
    const { handler, destroy } = connectorOver(this.timestream, { database_name: database, ...environment });
    this.use(handler);
    const statuses: number[] = [];
    const messages: string[] = [];
    for (const request of requests) {
      const { status, message } = await this.post(request);
      statuses.push(status);
      if (message !== '') messages.push(message);
    }
    destroy();
    return { statuses, messages: messages.join('\n'), values: await this.readAll(database) };
  }

  /** Sends a request, again where it is asked to, as clients do. */
  private async post(request: Request): Promise<{ status: number; message: string }> {
    const { body, precision = 'ns', bucket = 'any', headers = {} } = request;
    const url = `${this.connector.url}/api/v2/write?org=any&bucket=${bucket}&precision=${precision}`;
    const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
    if (response.headers.has('retry-after')) return this.post(request);
    return { status: response.status, message: await response.text() };
  }

  /** Reads all tables of a database; it is missing where no request had a good line. */
  private async readAll(database: string): Promise<Value[]> {
    const values: Value[] = [];
    const { rows: tables } = await this.query(`SHOW TABLES FROM "${database}"`).catch((error: Error) => {
      if (error.name === 'ResourceNotFoundException') return { rows: [] };
      throw error;
    });
    for (const [table] of tables) values.push(...(await this.read(database, table ?? '')));
    return values;
  }

  private async read(database: string, table: string): Promise<Value[]> {
    const from = `"${database}"."${table}"`;
    const { rows: described } = await this.query(`DESCRIBE ${from}`);
    const attributes = new Map(described.map(([name, , attribute]) => [name, attribute]));
    const { columns, rows } = await this.query(`SELECT to_nanoseconds(time) AS nanoseconds, * FROM ${from}`);
    return rows.flatMap((row) => {
      const cells = columns.map(({ name, type }, index) => ({ name, type, cell: row[index] ?? null }));
      const tags: [string, string][] = [];
      const fields: Pick<Value, 'field' | 'type' | 'value'>[] = [];
      for (const { name, type, cell } of cells.slice(1)) {
        const attribute = attributes.get(name);
        if (cell === null || attribute === 'TIMESTAMP' || attribute === 'MEASURE_NAME') continue;
        if (attribute === 'DIMENSION') tags.push([name, cell]);
        else fields.push({ field: name, type: typeOf(type), value: canonical(typeOf(type), cell) });
      }
      const measureName = cells.find(({ name }) => attributes.get(name) === 'MEASURE_NAME')?.cell ?? '';
      const measurement = measureName === 'influxdb-measure' ? table : measureName;
      return fields.map((field) => ({ measurement, tags: sorted(tags), time: BigInt(row[0] ?? 0), ...field }));
    });
  }

  private async query(QueryString: string) {
    const columns: { name: string; type: string }[] = [];
    const rows: (string | null)[][] = [];
    let NextToken: string | undefined;
    do {
      const page = await this.timestream.query.send(new QueryCommand({ QueryString, ...(NextToken && { NextToken }) }));
      if (NextToken === undefined) {
        for (const { Name = '', Type } of page.ColumnInfo ?? [])
          columns.push({ name: Name, type: Type?.ScalarType ?? '' });
      }
      rows.push(...(page.Rows ?? []).map(({ Data }) => (Data ?? []).map(({ ScalarValue }) => ScalarValue ?? null)));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return { columns, rows };
  }
}

function typeOf(type: string): Value['type'] {
  const kind = TYPES[type];
  if (kind === undefined) throw new Error(`Timestream has a column of an unexpected type: ${type}`);
  return kind;
}
