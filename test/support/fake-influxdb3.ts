/**
 * The part of InfluxDB 3 Core that a loader uses, with the responses of a real 3.7 Core, for tests without one. It keeps points in memory
 * and understands the lines that the tests write, not all of line protocol.
 */
import { splitLines } from 'shared/influxdb/lines';
import type { Answer, ReceivedRequest } from './scripted-server';

export const V3_TOKEN = 'apiv3_test-token';

const MAX_BODY_BYTES = 10_485_760;
const MAX_COLUMNS = 500;
const MAX_DATABASES = 5;
const BAD_NAME =
  'invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens';

const LINE = /^([^, ]+)((?:,[^ ]+)?) ((?:[^" ]|"(?:[^"\\]|\\.)*")+)(?: (-?\d+))?$/s;
const FIELD = /([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]+)/gs;

type Columns = Map<string, string>;
interface RefusedLine {
  readonly original_line: string;
  readonly line_number: number;
  readonly error_message: string;
}

export class FakeInfluxDB3 {
  readonly databases = new Map<string, Map<string, Columns>>();
  /** Lines that were acknowledged, by database. */
  readonly stored = new Map<string, string[]>();
  /** Writes that were acknowledged at each flush of the WAL. */
  readonly flushes: number[] = [];
  private readonly waiting: (() => void)[] = [];

  /** @param flushAt number of waiting writes that flushes the WAL; the real one flushes every second */
  constructor(readonly flushAt = 1) {}

  readonly answer = async (request: ReceivedRequest): Promise<Answer> => {
    const { path, headers, query, body } = request;
    if (!/^(Bearer|Token) /.test(headers.authorization ?? '') || !headers.authorization?.endsWith(` ${V3_TOKEN}`)) {
      return failure(401, 'the request was not authenticated');
    }
    switch (path) {
      case '/health':
        return { status: 200, body: 'OK' };
      case '/ping': {
        const ping = { version: '3.7.0', revision: 'd4a9a4d', process_id: '0d4ea1c6-7e3c-4b0f-9d0c-1f2d3e4b5a69' };
        return json(200, ping, { 'x-influxdb-version': '3.7.0', 'x-influxdb-build': 'Core' });
      }
      case '/api/v3/write_lp':
        return await this.write(query.get('db') ?? '', query.get('accept_partial') !== 'false', body);
      case '/api/v2/write':
        return await this.write(query.get('bucket') ?? '', false, body);
      case '/api/v3/query_sql':
        return this.query(body);
      default:
        return { status: 404, body: 'not found' };
    }
  };

  private async write(database: string, acceptsPartial: boolean, body: string): Promise<Answer> {
    const badName = nameFault(database);
    if (badName) return failure(400, badName);
    if (Buffer.byteLength(body) > MAX_BODY_BYTES)
      return failure(413, `max request size (${MAX_BODY_BYTES} bytes) exceeded`);
    if (body === '') return { status: 400, body: 'incoming write was empty' };
    const tables = this.databases.get(database);
    if (!tables && this.databases.size === MAX_DATABASES) {
      return failure(422, `Adding a new database would exceed limit of ${MAX_DATABASES} databases`);
    }
    const trial = new Map([...(tables ?? [])].map(([name, columns]) => [name, new Map(columns)]));
    const lines = splitLines(Buffer.from(body)).map((line) => Buffer.from(line).toString('utf8'));
    const good: string[] = [];
    const refused: RefusedLine[] = [];
    for (const [index, line] of lines.entries()) {
      const reason = addLine(trial, line);
      if (reason === undefined) good.push(line);
      else refused.push({ original_line: line.replaceAll('"', ''), line_number: index + 1, error_message: reason });
    }
    if ([...trial.values()].some((columns) => columns.size > MAX_COLUMNS)) {
      return failure(422, `Update to schema would exceed number of columns per table limit of ${MAX_COLUMNS} columns`);
    }
    if (refused.length > 0 && !acceptsPartial) return failure(400, 'parsing for line protocol failed', refused[0]);
    this.databases.set(database, trial);
    await this.flush();
    this.stored.set(database, [...(this.stored.get(database) ?? []), ...good]);
    return refused.length > 0 ? failure(400, 'partial write of line protocol occurred', refused) : { status: 204 };
  }

  private query(body: string): Answer {
    const { db, q } = JSON.parse(body) as { db: string; q: string };
    const tables = this.databases.get(db);
    if (!tables) return failure(404, `query error: database not found: ${db}`);
    if (q.includes('information_schema.columns')) return json(200, columnRows(tables));
    return json(200, [{ 'Int64(1)': 1 }]);
  }

  /** Waits until enough writes wait for a flush of the WAL. */
  private flush(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length < this.flushAt) return;
      this.flushes.push(this.waiting.length);
      for (const acknowledge of this.waiting.splice(0)) acknowledge();
    });
  }
}

/** The names of Arrow's types in `information_schema.columns`, by type of column. */
const DATA_TYPES: Readonly<Record<string, string>> = {
  tag: 'Dictionary(Int32, Utf8)',
  'field::float': 'Float64',
  'field::integer': 'Int64',
  'field::uinteger': 'UInt64',
  'field::boolean': 'Boolean',
  'field::string': 'Utf8',
};

/** The rows of a query for the columns of all tables but `time`. */
function columnRows(tables: ReadonlyMap<string, Columns>): object[] {
  return [...tables].flatMap(([table_name, columns]) =>
    [...columns]
      .filter(([name]) => name !== 'time')
      .map(([column_name, type]) => ({ table_name, column_name, data_type: DATA_TYPES[type] })),
  );
}

/** The first rule that a name breaks, in the order of the server. */
function nameFault(name: string): string | undefined {
  if (name === '') return 'db name cannot be empty';
  if (!/^[A-Za-z0-9]/.test(name)) return 'db name did not start with a number or letter';
  if (!/^[\w/-]+$/.test(name)) return BAD_NAME;
  if (name.includes('/') && !/^[^/]+\/[^/]+$/.test(name)) return 'db name with invalid retention policy';
  return undefined;
}

/** Adds the columns of a line to its table. Returns the reason if the line is refused. */
function addLine(tables: Map<string, Columns>, line: string): string | undefined {
  const [, table = '', tags = '', fields = ''] = LINE.exec(line) ?? [];
  if (table === '') return 'No fields were provided';
  const columns = new Map(tables.get(table) ?? []);
  const given = [
    ['time', 'timestamp'],
    ...tags
      .split(',')
      .slice(1)
      .map((tag) => [tag.split('=')[0] ?? '', 'tag']),
    ...[...fields.matchAll(FIELD)].map(([, name = '', value = '']) => [name, `field::${typeOf(value)}`]),
  ] as const;
  for (const [name = '', type = ''] of given) {
    const known = columns.get(name) ?? type;
    if (known !== type) {
      return `invalid column type for column '${name}', expected iox::column_type::${known}, got iox::column_type::${type}`;
    }
    columns.set(name, type);
  }
  tables.set(table, columns);
  return undefined;
}

function typeOf(value: string): string {
  if (value.startsWith('"')) return 'string';
  if (/^(t|f|true|false)$/i.test(value)) return 'boolean';
  if (value.endsWith('i')) return 'integer';
  return value.endsWith('u') ? 'uinteger' : 'float';
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, body: JSON.stringify(value), headers: { 'content-type': 'application/json', ...headers } };
}

const failure = (status: number, error: string, data?: unknown): Answer => json(status, { error, data });
