/** Columns of every type as typed fields in a real InfluxDB, value by value beside what DuckDB reads from the same Parquet file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseMappings } from 'shared/datasets/mapping';
import { describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';
import { configOf, DATA, duckdb, load, parquetOf, testStore } from '../../support/loader';
import { testReader } from '../../support/parquet';

const READING_MS = 60_000;
const ROWS = 300;

const reader = testReader();
const s3 = testStore();

interface Typed {
  /** The values of the column, by row `i`; some are null. */
  readonly sql: string;
  readonly type: string;
  readonly options?: object;
  /** Flux's name of the type of the field. */
  readonly stored: 'long' | 'unsignedLong' | 'double' | 'boolean' | 'string';
  /** DuckDB's text of the value `c`; default: the value as text. */
  readonly text?: string;
}

const spread = (max: string) => `(hash(i)::HUGEINT % ${max})`;
const moment = `make_timestamp((hash(i) % 4000000000000000)::BIGINT - 2000000000000000)`;
const iso = (digits: string) => `strftime(c, '%Y-%m-%dT%H:%M:%S') || '.' || ${digits}`;
/** RFC 3339 has no zeros at the end of a fraction. */
const trimmed = (sql: string) => `regexp_replace(${sql}, '\\.?0*$', '') || 'Z'`;

const COLUMNS: Record<string, Typed> = {
  tinyint: { sql: `(${spread('256')} - 128)::TINYINT`, type: 'integer', stored: 'long' },
  bigint: { sql: `(${spread('18446744073709551616')} - 9223372036854775808)::BIGINT`, type: 'integer', stored: 'long' },
  ubigint: { sql: `${spread('18446744073709551616')}::UBIGINT`, type: 'unsigned', stored: 'unsignedLong' },
  uinteger: { sql: `${spread('4294967296')}::UINTEGER`, type: 'unsigned', stored: 'unsignedLong' },
  decimal: { sql: `(i * 3)::DECIMAL(38, 4)`, type: 'integer', stored: 'long', text: 'c::BIGINT::VARCHAR' },
  double: { sql: `((hash(i) % 1000000007) / 977.0)::DOUBLE`, type: 'float', stored: 'double' },
  real: { sql: `((hash(i) % 100003) / 8.0)::FLOAT`, type: 'float', stored: 'double' },
  boolean: { sql: `i % 3 = 0`, type: 'boolean', stored: 'boolean' },
  varchar: { sql: `'é "' || i || '" ' || chr(92)`, type: 'string', stored: 'string' },
  money: { sql: `(i / 4.0)::DECIMAL(18, 2)`, type: 'string', stored: 'string' },
  uuid: { sql: `uuid()`, type: 'string', stored: 'string' },
  day: { sql: `DATE '1960-01-01' + i::INTEGER`, type: 'string', stored: 'string' },
  clock: { sql: `TIME '00:00:01' + INTERVAL 1 SECOND * i`, type: 'string', stored: 'string' },
  level: {
    sql: `(CASE WHEN i % 2 = 0 THEN 'low' ELSE 'high' END)::ENUM('low', 'high')`,
    type: 'string',
    stored: 'string',
  },
  bytes: {
    ...{ sql: `unhex(lpad(to_hex(i), 6, 'f'))`, type: 'string', options: { encoding: 'hex' } },
    ...{ stored: 'string', text: 'lower(hex(c))' },
  },
  base64: {
    ...{ sql: `unhex(lpad(to_hex(i), 8, '0'))`, type: 'string', options: { encoding: 'base64' } },
    ...{ stored: 'string', text: 'to_base64(c)' },
  },
  us: { sql: moment, type: 'timestamp', options: { as: 'us' }, stored: 'long', text: 'epoch_us(c)::VARCHAR' },
  ns: { sql: moment, type: 'timestamp', stored: 'long', text: 'epoch_ns(c)::VARCHAR' },
  rfc3339: {
    ...{ sql: moment, type: 'timestamp', options: { as: 'rfc3339' }, stored: 'string' },
    text: trimmed(iso(`lpad((((epoch_us(c) % 1000000) + 1000000) % 1000000)::VARCHAR, 6, '0')`)),
  },
  date: {
    sql: `DATE '1960-01-01' + i::INTEGER`,
    type: 'timestamp',
    options: { as: 's' },
    stored: 'long',
    text: 'epoch(c)::BIGINT::VARCHAR',
  },
  millis: { sql: `1700000000123 + i`, type: 'timestamp', options: { unit: 'ms', as: 'ms' }, stored: 'long' },
};

describeWithInfluxd('typed fields in a real InfluxDB', (binary) => {
  let influxd: Influxd;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterAll(() => influxd.remove());

  test(
    'have the type of the mapping and exactly the values that DuckDB reads',
    async () => {
      const names = Object.keys(COLUMNS);
      const values = names.map(
        (name, index) => `CASE WHEN i % 7 <> ${index % 7} THEN ${COLUMNS[name]?.sql} END AS "${name}"`,
      );
      const file = await parquetOf(
        `SELECT make_timestamp(1700000000000000 + i) AS t, ${values.join()} FROM range(${ROWS}) r(i)`,
      );
      s3.store.put(DATA, 'x/types.parquet', file);
      const fields = names.map((column) => ({ column, type: COLUMNS[column]?.type, ...COLUMNS[column]?.options }));
      const mapping = { name: 'x', measurement: 'm', time: { column: 't' }, tags: { constant: { site: 'a' } }, fields };
      const mappings = parseMappings(JSON.stringify(mapping));
      await influxd.makeBucket('types');
      const config = configOf(influxd.url, { INFLUXDB_BUCKET: 'types' });
      const services = { plan: { mappings }, load: { mappings } };
      const summary = await load({ bucket: DATA, prefix: 'x/' }, { objects: s3.objects, reader }, config, services);
      expect(summary).toMatchObject({ statusCode: 200, points_written: ROWS, warnings: {} });

      const stored = await influxd.values('types');
      for (const name of names) {
        const { text = 'c::VARCHAR', stored: type, sql } = COLUMNS[name] as Typed;
        const found = stored.filter(({ field }) => field === name);
        const rows = await read(file, name, text);
        expect([name, new Set(found.map((value) => value.type))]).toEqual([name, new Set([type])]);
        const comparable = (value: unknown): unknown => (type === 'double' ? Number(value) : value);
        expect([name, sql, sorted(found.map(({ time, value }) => [instant(time), comparable(value)]))]).toEqual([
          ...[name, sql],
          sorted(rows.map(({ time, value }) => [String(time), comparable(value)])),
        ]);
      }
    },
    READING_MS,
  );
});

const sorted = (rows: unknown[][]): string[] => rows.map((row) => JSON.stringify(row)).sort();

/** Nanoseconds since 1970. */
function instant(time: string): string {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.');
  return String(BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}

async function read(file: Buffer, column: string, text: string): Promise<Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'types-'));
  try {
    writeFileSync(`${folder}/f.parquet`, file);
    return await duckdb(
      `SELECT epoch_ns(t)::VARCHAR AS time, ${text} AS value FROM (SELECT t, "${column}" AS c FROM '${folder}/f.parquet') WHERE c IS NOT NULL`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
