/** Exports of the embedded Timestream by UNLOAD, into an emulator of S3: a third-party client writes them, and third-party readers read them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { QueryCommand } from '@aws-sdk/client-timestream-query';
import type { _Record as Record_ } from '@aws-sdk/client-timestream-write';
import { z } from 'zod';
import { S3Destination } from '../../local/timestream/unload/s3-destination';
import {
  from,
  type Harness,
  makeTable,
  NOW,
  startHarness,
  validationMessage,
  writeRecords,
} from '../contract/timestream/harness';
import { MiniStack, missingMiniStack } from '../support/ministack';
import { pythonWith, runPython } from './python';
import { describeProof, detail } from './report';

const VERSIONS = ['awswrangler==3.17.1', 'pyarrow==25.0.1', 'pandas==3.1.1', 'duckdb==2.0.1', 'boto3==1.44.8'] as const;
const python = pythonWith('awswrangler, duckdb, pyarrow', ...VERSIONS);
const BUCKET = 'exports';
const ROWS = 3_000;

const TEXTS = ['plain', 'a "b"', 'back\\slash', 'a|b', 'a,b', '^', '"^|', 'two\nlines', 'tab\t', ' é 日本 '];
const FLOATS = ['0.1', '-1.5E300', '5E-324', '-0.0', '1.0', '3.5E15'];

/** Rows with every type and a NULL in every measure. */
function records(): Record_[] {
  const start = BigInt(NOW) * 1_000_000n;
  return Array.from({ length: ROWS }, (_, i) => {
    const measures = [
      ['n', 'BIGINT', String(9_223_372_036_854_775_807n - BigInt(i * 1_000_003))],
      ['f', 'DOUBLE', FLOATS[i % FLOATS.length] ?? ''],
      ['ok', 'BOOLEAN', String(i % 3 === 0)],
      ['at', 'TIMESTAMP', String(start - BigInt(i) * 86_400_000_000_001n)],
      ['note', 'VARCHAR', TEXTS[i % TEXTS.length] ?? ''],
    ] as const;
    return {
      Dimensions: [
        { Name: 'device', Value: `d-${String(i).padStart(4, '0')}` },
        { Name: 'place', Value: ['Social Media', 'north'][i % 2] ?? '' },
      ],
      MeasureName: 'metrics',
      MeasureValueType: 'MULTI',
      MeasureValues: measures.filter((__, m) => i % 7 !== m).map(([Name, Type, Value]) => ({ Name, Type, Value })),
      Time: String(start - BigInt(i)),
      TimeUnit: 'NANOSECONDS',
    };
  });
}

type Cell = string | number | boolean | null;
type Rows = Record<string, Cell>[];

/** Nanoseconds since 1970 of `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`. */
const nanoseconds = (text: string): string =>
  String(BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1_000_000n + BigInt(text.slice(20)));

/** The values of rows that SELECT returned as text; a BIGINT stays text, because it may exceed the exact numbers. */
const typed = (rows: Rows): Rows =>
  mapped(rows, (text, name) => {
    if (text === null) return null;
    if (name === 'f') return Number(text);
    if (name === 'ok') return text === 'true';
    return isTime(name) ? nanoseconds(String(text)) : text;
  });

/** The rows that SELECT returns, as text, without an export. */
async function selected({ query }: Harness, QueryString: string): Promise<Rows> {
  const rows: Rows = [];
  let NextToken: string | undefined;
  do {
    const page = await query.send(new QueryCommand({ QueryString, NextToken }));
    const names = (page.ColumnInfo ?? []).map(({ Name = '' }) => Name);
    for (const { Data } of page.Rows ?? []) {
      rows.push(Object.fromEntries(names.map((name, i) => [name, Data?.[i]?.ScalarValue ?? null])));
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return rows;
}

const result = z.object({
  name: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))),
});

const byDevice = (rows: Rows): Rows => rows.toSorted((a, b) => (String(a.device) < String(b.device) ? -1 : 1));
const mapped = (rows: Rows, change: (value: Cell, name: string) => Cell): Rows =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, change(value, name)])));
const without = (names: readonly string[], rows: Rows): Rows =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))));

const isTime = (name: string): boolean => name === 'time' || name === 'at';
const toMicroseconds = (value: Cell, name: string): Cell =>
  isTime(name) && value !== null ? String((BigInt(String(value)) / 1_000n) * 1_000n) : value;
/** pandas makes a column of floats from integers and None. */
const integerAsFloat = (value: Cell, name: string): Cell => (name === 'n' && value !== null ? Number(value) : value);

/** How a reader shows values in another way, by its documentation. The rows are those of SELECT, as text. */
const DIFFERENCES: Readonly<Record<string, { words: string; expected: (rows: Rows) => Rows }>> = {
  query: {
    words: 'times without nanoseconds; integers with NULLs as floats',
    expected: (rows) => mapped(mapped(typed(rows), toMicroseconds), integerAsFloat),
  },
  'unload_to_files, Parquet, by DuckDB': {
    words: 'times without nanoseconds',
    expected: (rows) => mapped(typed(rows), toMicroseconds),
  },
  'unload, CSV': {
    words: 'times as text; integers with NULLs as floats',
    expected: (rows) =>
      mapped(rows, (text, name) => {
        if (text === null || isTime(name)) return text;
        return name === 'ok' ? text === 'true' : name === 'f' ? Number(text) : integerAsFloat(text, name);
      }),
  },
  'unload_to_files, CSV, by pandas': {
    words: 'everything as text; NULL as empty text',
    expected: (rows) => mapped(rows, (text) => text ?? ''),
  },
  'unload_to_files, CSV, by pyarrow': { words: 'everything as text', expected: (rows) => rows },
};

describeProof('awswrangler, pandas, pyarrow and DuckDB', missingMiniStack() ?? python.missing, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'unload-'));
  let miniStack: MiniStack;
  let s3: S3Client;
  let timestream: Harness;
  let table = '';
  beforeAll(async () => {
    miniStack = await MiniStack.start();
    s3 = new S3Client({ ...miniStack.client, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    timestream = await startHarness({ unload: { destination: new S3Destination(s3) } });
    table = await makeTable(timestream);
    const all = records();
    for (let i = 0; i < all.length; i += 100) await writeRecords(timestream, table, all.slice(i, i + 100));
  });
  afterAll(async () => {
    await timestream.close();
    s3.destroy();
    miniStack.stop();
    rmSync(folder, { recursive: true });
  });

  test('awswrangler queries and exports at one UNLOAD per second, and every reader reads the rows of SELECT', async () => {
    const job = {
      timestream: timestream.server.url,
      s3: miniStack.client.endpoint,
      path: `s3://${BUCKET}/export`,
      table: from(table),
      folder,
    };
    const output = await runPython(python.python, 'clients/awswrangler_unload.py', [], JSON.stringify(job));
    const results = z.array(result).parse(output);
    const expected = byDevice(await selected(timestream, `SELECT * FROM ${from(table)}`));
    expect(expected).toHaveLength(ROWS);

    const ways = new Map<string, Rows>();
    for (const { name, columns, rows } of results) {
      const objects = rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i] ?? null])));
      ways.set(name, [...(ways.get(name) ?? []), ...objects]);
    }
    expect([...ways.keys()]).toHaveLength(8);
    for (const [name, rows] of ways) {
      const columns = Object.keys(rows[0] ?? {});
      const missing = Object.keys(expected[0] ?? {}).filter((column) => !columns.includes(column));
      const same = without(missing, expected);
      expect([name, byDevice(rows)]).toEqual([name, DIFFERENCES[name]?.expected(same) ?? typed(same)]);
    }
    detail(
      'Exports that were read back',
      ['client and reader', 'rows', 'differences'],
      [...ways].map(([name, rows]) => [name, rows.length, DIFFERENCES[name]?.words ?? 'none']),
    );
  });
});

describeProof('An emulator of S3', missingMiniStack(), () => {
  let miniStack: MiniStack;
  let s3: S3Client;
  let timestream: Harness;
  let sql = '';
  beforeAll(async () => {
    miniStack = await MiniStack.start();
    s3 = new S3Client({ ...miniStack.client, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    timestream = await startHarness({
      unload: { destination: new S3Destination(s3), intervalMs: 0, maxRows: 100_000 },
    });
    const table = await makeTable(timestream);
    const all = records().slice(0, 400);
    for (let i = 0; i < all.length; i += 100) await writeRecords(timestream, table, all.slice(i, i + 100));
    // 160,000 different texts of about 150 bytes.
    sql = `SELECT concat(a.device, b.device, rpad(b.device, 120, a.device)) AS text FROM ${from(table)} a CROSS JOIN ${from(table)} b`;
  });
  afterAll(async () => {
    await timestream.close();
    s3.destroy();
    miniStack.stop();
  });

  const unload = (query: string, folder: string, options: string) =>
    timestream.query.send(
      new QueryCommand({
        QueryString: `UNLOAD (${query}) TO 's3://${BUCKET}/${folder}' WITH (compression = 'NONE', ${options})`,
      }),
    );
  const objects = async (folder: string) =>
    (await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: `${folder}/` }))).Contents ?? [];
  const uploads = async () => (await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];

  test('a file of more than 8 MB is uploaded in parts, encrypted as the statement says, and complete', async () => {
    const { Rows } = await unload(`${sql} LIMIT 100000`, 'large', "encryption = 'SSE_KMS', kms_key = 'alias/export'");
    expect(Rows?.[0]?.Data?.[0]?.ScalarValue).toBe('100000');
    const [file] = (await objects('large')).filter(({ Key }) => Key?.endsWith('.csv'));
    expect(file?.Size).toBeGreaterThan(12_000_000);
    const { Body, ServerSideEncryption, SSEKMSKeyId } = await s3.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: file?.Key }),
    );
    expect([ServerSideEncryption, SSEKMSKeyId]).toEqual(['aws:kms', 'alias/export']);
    const text = (await Body?.transformToString()) ?? '';
    expect(Buffer.byteLength(text)).toBe(file?.Size);
    expect(new Set(text.split('\n')).size).toBe(100_001);
    expect(await uploads()).toEqual([]);
  });

  test('a query that is too large leaves its files, without manifest, metadata and unfinished uploads', async () => {
    const failed = unload(sql, 'too-large', "format = 'CSV'");
    expect(await validationMessage(failed)).toBe('Query computation exceeds maximum available memory');
    const names = (await objects('too-large')).map(({ Key }) => Key);
    expect(names).toEqual([expect.stringMatching(/^too-large\/results\/\w+\.csv$/)]);
    expect(await uploads()).toEqual([]);
  });

  test('a bucket that does not exist is refused', async () => {
    const QueryString = `UNLOAD (${sql}) TO 's3://no-such-bucket/folder'`;
    const message = await validationMessage(timestream.query.send(new QueryCommand({ QueryString })));
    expect(message).toContain('UNLOAD cannot write to s3://no-such-bucket: NoSuchBucket');
  });
});
