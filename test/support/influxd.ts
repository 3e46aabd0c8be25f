/** A real InfluxDB 2 for tests: started on a free port in a temporary folder, killed and restarted there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ServerProcess } from './server-process';

export const ORG = 'ons-energy';
export const BUCKET = 'energy_data';
export const TOKEN = 'test-token';
/** The timeout of a hook that starts an influxd, ms; it takes 0.5 s on an idle machine. */
export const STARTING_MS = 60_000;
/** The range of times that InfluxDB can read back, without the very last one. */
const FIRST = '1677-09-21T00:12:43.145224194Z';
const LAST = '2262-04-11T23:47:16.854775806Z';

/** The influxd to run, named by INFLUXD. CONTRIBUTING.md says how to get one. */
export function findInfluxd(): string | undefined {
  return process.env.INFLUXD || undefined;
}

/** `describe` if an influxd exists; otherwise a skipped `describe` with the reason in its name. */
export function describeWithInfluxd(name: string, tests: (binary: string) => void): void {
  const binary = findInfluxd();
  if (binary === undefined) {
    describe.skip(`${name} (no influxd: set INFLUXD to one of version 2.7)`, () => tests(''));
  } else {
    describe(name, () => tests(binary));
  }
}

/** One field of one point. */
export interface StoredValue {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** RFC 3339, to the nanosecond. */
  readonly time: string;
  readonly field: string;
  readonly type: string;
  readonly value: string;
}

export class Influxd extends ServerProcess {
  private constructor(
    readonly binary: string,
    port: number,
    private readonly token: string,
  ) {
    super('influxd', port);
  }

  /** Starts an influxd and sets it up with ORG, BUCKET and a token. Defaults: TOKEN, and a free port. */
  static async start(
    binary: string,
    { port, token = TOKEN }: { port?: number; token?: string } = {},
  ): Promise<Influxd> {
    const influxd = new Influxd(binary, port ?? (await freePort()), token);
    await influxd.restart();
    const setup = { username: 'admin', password: 'password1', org: ORG, bucket: BUCKET, token };
    await influxd.post('/api/v2/setup', setup);
    return influxd;
  }

  /** Starts the server (again) on the same port and folder; resolves when it is ready. */
  override async restart(): Promise<void> {
    const at = (name: string): string => join(this.folder, name);
    const options = ['--bolt-path', at('bolt'), '--sqlite-path', at('sqlite'), '--engine-path', at('engine')];
    const bind = ['--http-bind-address', `127.0.0.1:${this.port}`, '--reporting-disabled', '--log-level', 'error'];
    this.process = spawn(this.binary, [...bind, ...options], { stdio: 'ignore' });
    const exited = once(this.process, 'exit').then(() => 'exited');
    while ((await Promise.race([exited, this.isReady()])) !== true) {
      if (this.process.exitCode !== null) throw new Error(`influxd ended with code ${this.process.exitCode}`);
    }
  }

  /** Posts JSON with the all-access token; answers with the JSON of the response. */
  async post<T>(path: string, body: unknown): Promise<T> {
    const init = { method: 'POST', headers: { authorization: `Token ${this.token}` }, body: JSON.stringify(body) };
    const response = await fetch(this.url + path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path, { headers: { authorization: `Token ${this.token}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Writes line protocol with the all-access token. */
  async write(lines: string, bucket: string = BUCKET): Promise<void> {
    const path = `/api/v2/write?${new URLSearchParams({ org: ORG, bucket })}`;
    const init = { method: 'POST', headers: { authorization: `Token ${this.token}` }, body: lines };
    const response = await fetch(this.url + path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  /** Runs Flux and returns the rows of its result as objects of texts. */
  async query(flux: string): Promise<Record<string, string>[]> {
    const response = await fetch(`${this.url}/api/v2/query?org=${ORG}`, {
      method: 'POST',
      headers: {
        authorization: `Token ${this.token}`,
        'content-type': 'application/vnd.flux',
        accept: 'application/csv',
      },
      body: flux,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`query: ${response.status} ${text}`);
    return tables(text);
  }

  /** Each field value of a bucket, over all time, with Flux's name of its type (`long`, `double`, ...). */
  async values(bucket: string = BUCKET): Promise<StoredValue[]> {
    const query = `from(bucket: "${bucket}") |> range(start: ${FIRST}, stop: ${LAST})`;
    const response = await fetch(`${this.url}/api/v2/query?org=${ORG}`, {
      method: 'POST',
      headers: { authorization: `Token ${this.token}`, 'content-type': 'application/json', accept: 'application/csv' },
      body: JSON.stringify({ query, dialect: { annotations: ['datatype'] } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`query: ${response.status} ${text}`);
    return values(text);
  }

  /** The number of points of one field in a bucket, over all time. */
  async count(field: string, bucket: string = BUCKET): Promise<number> {
    const [row] = await this.query(
      `from(bucket: "${bucket}") |> range(start: 0, stop: 2100-01-01T00:00:00Z)
        |> filter(fn: (r) => r._field == "${field}") |> group() |> count()`,
    );
    return Number(row?._value ?? 0);
  }

  /** Creates a bucket with a retention in s (0: unlimited). */
  async makeBucket(name: string, everySeconds = 0): Promise<void> {
    const retentionRules = [{ type: 'expire', everySeconds }];
    await this.post('/api/v2/buckets', { orgID: await this.orgId(), name, retentionRules });
  }

  /** Creates a token with one permission on one bucket. */
  async makeToken(action: 'read' | 'write', bucket: string = BUCKET): Promise<string> {
    const orgID = await this.orgId();
    const { buckets } = await this.get<{ buckets: { id: string }[] }>(`/api/v2/buckets?name=${bucket}`);
    const permissions = [{ action, resource: { type: 'buckets', id: buckets[0]?.id, orgID } }];
    const { token } = await this.post<{ token: string }>('/api/v2/authorizations', { orgID, permissions });
    return token;
  }

  async orgId(): Promise<string> {
    const { orgs } = await this.get<{ orgs: { id: string }[] }>(`/api/v2/orgs?org=${ORG}`);
    return orgs[0]?.id ?? '';
  }

  private isReady(): Promise<boolean> {
    return fetch(`${this.url}/ready`).then(
      (response) => response.ok,
      () => false,
    );
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const NO_TAGS = new Set(['', 'result', 'table', '_start', '_stop', '_time', '_value', '_field', '_measurement']);

/** The field values in Flux's CSV with the annotation `datatype`: tables with a line of types and one of names each. */
function values(csv: string): StoredValue[] {
  const found: StoredValue[] = [];
  let types: string[] = [];
  let names: string[] | undefined;
  for (const row of records(csv)) {
    if (row[0] === '#datatype') {
      types = row;
      names = undefined;
    } else if (names === undefined) names = row;
    else if (row.length > 1) {
      const cells = new Map(names.map((name, index) => [name, row[index] ?? '']));
      found.push({
        measurement: cells.get('_measurement') ?? '',
        tags: Object.fromEntries([...cells].filter(([name, cell]) => !NO_TAGS.has(name) && cell !== '')),
        time: cells.get('_time') ?? '',
        field: cells.get('_field') ?? '',
        type: types[names.indexOf('_value')] ?? '',
        value: cells.get('_value') ?? '',
      });
    }
  }
  return found;
}

/** The rows of Flux's CSV: tables with a header each, an empty line between them. */
function tables(csv: string): Record<string, string>[] {
  const rows: Record<string, string>[] = [];
  let header: string[] | undefined;
  for (const row of records(csv)) {
    if (row.length === 1) header = undefined;
    else if (header === undefined) header = row;
    else rows.push(Object.fromEntries(header.map((name, index) => [name, row[index] ?? ''])));
  }
  return rows;
}

/** The lines of a CSV; quoted values may contain anything, newlines as CRLF. */
function* records(csv: string): Generator<string[]> {
  let row: string[] = [];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|$)/g)) {
    row.push(quoted?.replaceAll('""', '"').replaceAll('\r\n', '\n') ?? plain ?? '');
    if (end === ',') continue;
    yield row;
    row = [];
  }
}
