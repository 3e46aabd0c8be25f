/** The connector as one side of a comparison: over HTTP, with an empty database per case. */

import { QueryCommand } from '@aws-sdk/client-timestream-query';
import { type Connector, connectorBefore } from '../../contract/connector/harness';
import { type Harness, startHarness } from '../../contract/timestream/harness';
import type { Case } from './case';
import { canonical, type Outcome, type Request, sorted, type Value } from './stored';

const TYPES: Readonly<Record<string, Value['type']>> = {
  DOUBLE: 'float',
  BIGINT: 'integer',
  BOOLEAN: 'boolean',
  VARCHAR: 'string',
};

/** A connector with an empty database. */
interface Fresh {
  readonly connector: Connector;
  readonly database: string;
  readonly environment: string;
}

export class ConnectorSide {
  private databases = 0;
  private fresh: Fresh | undefined;

  private constructor(private readonly timestream: Harness) {}

  static async start(): Promise<ConnectorSide> {
    return new ConnectorSide(await startHarness({ now: Date.now }));
  }

  async remove(): Promise<void> {
    await this.fresh?.connector.close();
    await this.timestream.close();
  }

  /** @param environment the connector's configuration in this case */
  async write({ requests }: Pick<Case, 'requests'>, environment: Readonly<Record<string, string>>): Promise<Outcome> {
    const { connector, database } = await this.takeFresh(environment);
    const statuses: number[] = [];
    const messages: string[] = [];
    for (const request of requests) {
      const { status, message } = await post(connector.url, request);
      statuses.push(status);
      if (message !== '') messages.push(message);
    }
    const values = await this.readAll(database);
    if (values.length > 0) {
      this.fresh = undefined;
      await connector.close();
    }
    return { statuses, messages: messages.join('\n'), values };
  }

  private async takeFresh(given: Readonly<Record<string, string>>): Promise<Fresh> {
    const environment = JSON.stringify(given);
    if (this.fresh?.environment !== environment) {
      await this.fresh?.connector.close();
      const database = `case-${this.databases++}`;
      const options = { environment: { database_name: database, ...given } };
      const connector = await connectorBefore(this.timestream.server.url, options);
      this.fresh = { connector, database, environment };
    }
    return this.fresh;
  }

  /** Reads all tables of a database, which does not exist if no request had a valid line. */
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

/** Sends a request, with a few retries after 429 and 503, as clients do. */
async function post(endpoint: string, request: Request, retries = 3): Promise<{ status: number; message: string }> {
  const { body, precision = 'ns', bucket = 'any', headers = {} } = request;
  const url = `${endpoint}/api/v2/write?org=any&bucket=${bucket}&precision=${precision}`;
  // An open connection would keep the server from closing.
  const sent = { ...headers, Connection: 'close' };
  const response = await fetch(url, { method: 'POST', headers: sent, body: new Uint8Array(body) });
  const message = await response.text();
  if (response.headers.has('retry-after') && retries > 0) return post(endpoint, request, retries - 1);
  return { status: response.status, message };
}
