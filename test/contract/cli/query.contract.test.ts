/** `query` against the embedded Timestream. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { shell } from '../../../local/query/shell';
import { sqlOf } from '../../../local/query/statement';
import { type Stack, startStack } from '../connector/harness';
import { bundleProgram, runProgram } from './program';

const ROWS = 2_500;
const folder = mkdtempSync(join(tmpdir(), 'query-'));
let stack: Stack;

beforeAll(async () => {
  bundleProgram();
  stack = await startStack();
  const lines = Array.from(
    { length: ROWS },
    (_, i) => `weather,city=Lisbon note="a, ""b""",n=${i}i,t=${i}.5 ${1_767_225_600 + i}`,
  );
  lines[0] = 'weather,city=Lisbon note="a, \\"b\\"",n=9007199254740993i,t=0.5 1767225600';
  const body = lines.map((line) => line.replace('""b""', '\\"b\\"')).join('\n');
  const response = await fetch(`${stack.url}/api/v2/write?precision=s`, { method: 'POST', body });
  expect(response.status).toBe(204);
});
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true });
});

const FROM = 'FROM "influxdb-line-protocol"."weather"';
const query = (argv: readonly string[], input?: string) =>
  runProgram(['query', '--endpoint-url', stack.timestream.server.url, ...argv], input === undefined ? {} : { input });

test('prints a table with right-aligned numbers and the number of rows', async () => {
  const { out } = await query([`SELECT city, n, t ${FROM} WHERE n < 12 AND n > 8 ORDER BY n`, '--format', 'table']);
  expect(out).toBe(
    [
      'city     n     t',
      '------  --  ----',
      'Lisbon   9   9.5',
      'Lisbon  10  10.5',
      'Lisbon  11  11.5',
      '(3 rows)',
      '',
    ].join('\n'),
  );
});

test('prints all pages as CSV (RFC 4180) if stdout is not a terminal', async () => {
  const { code, out } = await query([`SELECT note, n ${FROM} ORDER BY time`]);
  const lines = out.trimEnd().split('\n');
  expect([code, lines.length, lines[0], lines[1]]).toEqual([0, ROWS + 1, 'note,n', '"a, ""b""",9007199254740993']);
});

test('prints JSON with numbers, and with strings if a number would lose digits', async () => {
  const { out } = await query([`SELECT n, t, city ${FROM} ORDER BY time LIMIT 2`, '--format', 'json']);
  expect(JSON.parse(out)).toEqual([
    { n: '9007199254740993', t: 0.5, city: 'Lisbon' },
    { n: 1, t: 1.5, city: 'Lisbon' },
  ]);
  const none = await query([`SELECT n ${FROM} WHERE n < 0`, '--format', 'json']);
  expect(JSON.parse(none.out)).toEqual([]);
});

test.each([
  [['SELECT count(*) AS c FROM weather'], `c\n${ROWS}\n`],
  [['.tables'], 'Table\nweather\n'],
  [['SHOW', 'TABLES'], 'Table\nweather\n'],
  [['.databases'], 'Database\ninfluxdb-line-protocol\n'],
  [['DESCRIBE weather'], 'Column,Type,Timestream attribute type\ncity,varchar,DIMENSION\n'],
  [['.schema', 'weather'], 'Column,Type,Timestream attribute type\ncity,varchar,DIMENSION\n'],
])('%j needs no database', async (argv, expected) => {
  const { code, out } = await query(argv);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(expected) });
});

test('reads the statement from stdin or a file', async () => {
  const statement = `SELECT count(*) AS c ${FROM};\n`;
  writeFileSync(join(folder, 'q.sql'), statement);
  expect((await query(['-'], statement)).out).toBe(`c\n${ROWS}\n`);
  expect((await query([], statement)).out).toBe(`c\n${ROWS}\n`);
  expect((await query(['--file', join(folder, 'q.sql')])).out).toBe(`c\n${ROWS}\n`);
});

test.each([
  ['SELEC', /^ValidationException: Only SELECT/],
  [`SELECT nope(n) ${FROM}`, /function nope is not supported by the embedded Timestream\.\n$/],
  [`SELECT nope ${FROM}`, /^ValidationException: .*nope/],
  ['SELECT * FROM "influxdb-line-protocol"."none"', /none/],
])('%s fails with the message of the service', async (sql, message) => {
  const { code, out, err } = await query([sql]);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toMatch(message);
  expect(err).not.toMatch(/^\s+at /m);
});

test('names the server to start if nothing listens at the URL', async () => {
  const { code, err } = await runProgram(['query', 'SELECT 1', '--endpoint-url', 'http://127.0.0.1:1']);
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/nothing listens .*influxdb-timestream start.*--aws/),
  });
});

test('names the port of SQL if the URL is the write endpoint', async () => {
  const { code, err } = await runProgram(['query', 'SELECT 1', '--endpoint-url', stack.url]);
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringMatching(/ is the write endpoint: SQL is on .* 9001\n$/),
  });
});

test('--aws without credentials names the variables to set', async () => {
  const env = { AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };
  const { code, err } = await runProgram(['query', 'SELECT 1', '--aws'], { env });
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('set AWS_PROFILE') });
});

async function typed(
  write: (input: PassThrough) => unknown,
  isTTY = false,
): Promise<{ sent: string[]; shown: string }> {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { isTTY });
  const sent: string[] = [];
  const run = (sql: string) => {
    sent.push(sql);
    return sql === 'bad' ? Promise.reject(new Error('no such thing')) : Promise.resolve();
  };
  const done = shell({ input, output, database: 'db', run });
  write(input);
  await done;
  output.end();
  return { sent, shown: await text(output) };
}

test('the prompt accepts several statements, also over several lines and after an error', async () => {
  const { sent, shown } = await typed((input) =>
    input.end('SELECT 1\nFROM t;\nbad;\n.tables\n.help\n.nope\n.quit\nSELECT 2;\n'),
  );
  expect(sent).toEqual(['SELECT 1\nFROM "db".t', 'bad', 'SHOW TABLES FROM "db"']);
  expect(shown).toContain('no such thing\n');
  expect(shown).toContain('unknown command .nope\n');
});

test.each(['exit', 'quit', 'QUIT;', '.exit', '.quit'])(
  '%s ends the prompt, also inside a statement',
  async (command) => {
    const { sent } = await typed((input) => input.end(`SELECT 1\n${command}\n;\nSELECT 2;\n`));
    expect(sent).toEqual([]);
  },
);

test('commands inside a statement do not become part of it', async () => {
  const { sent, shown } = await typed((input) => input.end('SELECT 1\n.tables\nhelp\n;\n'));
  expect(sent).toEqual(['SHOW TABLES FROM "db"', 'SELECT 1']);
  expect(shown.match(/list tables of the database/g)).toHaveLength(2);
});

test('Ctrl-C drops a half-typed statement; without a statement it ends the prompt', async () => {
  const dropped = await typed((input) => {
    input.write('SELECT 1\nFROM a');
    // The prompt has read the first line by then.
    setImmediate(() => input.write('\x03SELECT 2;\n.quit\n'));
  }, true);
  expect(dropped.sent).toEqual(['SELECT 2']);
  expect((await typed((input) => input.write('\x03'), true)).sent).toEqual([]);
});

test.each([
  ['SELECT * FROM a JOIN "b" ON true', 'SELECT * FROM "db".a JOIN "db"."b" ON true'],
  ['SELECT * FROM "x"."a"', 'SELECT * FROM "x"."a"'],
  ['WITH a AS (SELECT 1 FROM b) SELECT * FROM a', 'WITH a AS (SELECT 1 FROM "db".b) SELECT * FROM a'],
  [
    'SELECT * FROM (SELECT extract(hour FROM time) FROM a)',
    'SELECT * FROM (SELECT extract(hour FROM time) FROM "db".a)',
  ],
  ['SELECT v IS DISTINCT FROM w', 'SELECT v IS DISTINCT FROM w'],
  ["SELECT 'x FROM a' -- FROM a", "SELECT 'x FROM a' -- FROM a"],
  ['SELECT * FROM my-db.a', 'SELECT * FROM my-db.a'],
  ["SELECT 'unfinished FROM a", "SELECT 'unfinished FROM a"],
])('tables without a database get --database: %s', (statement, sql) => {
  expect(sqlOf(statement, 'db')).toBe(sql);
});

test('sample write counts the lines of the file, with comments and blank lines, also from stdin', async () => {
  const lines = '# a comment="\n\nseen,t=1 s="two\nlines" 1767225600\n\nseen,t=1 v=\n# comment\nseen,t=1 v=1 x\n';
  const argv = ['sample', 'write', '-', '--endpoint', stack.url, '--precision', 's', '--batch-lines', '2'];
  const { code, out, err } = await runProgram(argv, { input: lines });
  expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/^3 lines: 1 stored, 2 dropped in /) });
  expect(err).toMatch(/^lines 3 to 6: HTTP 400: .* at line 6:12: .*\nline 8: HTTP 400: .* at line 8:14: [^\n]*\n$/);
  const one = await runProgram(argv, { input: 'seen,t=1 v=1 1767225601' });
  expect(one.out).toMatch(/^1 line: 1 stored in /);
});
