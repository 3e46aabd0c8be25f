/** Released InfluxDB clients, unmodified: each does the same job with its own code, and returns the errors that it reports. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { runs } from './commands';
import { pythonWith } from './python';

/** The points that a client writes. The programs in clients/ read it as JSON. */
export interface Job {
  readonly url: string;
  readonly token: string;
  readonly measurement: string;
  /** Lines of the measurement; if empty, the client builds TYPED_POINT with its own API. */
  readonly lines: readonly string[];
  readonly batchSize: number;
  readonly gzip: boolean;
  /** The server's first response will be 429 or 503. */
  readonly throttled: boolean;
}

export interface Client {
  readonly name: string;
  /** Why the client cannot run on this machine, and what to install. */
  readonly missing: string | undefined;
  /** The errors that the client reports, in its own words. */
  readonly write: (job: Job) => Promise<string[]>;
}

const HERE = path.join(__dirname, 'clients');
export const GO_BINARY = path.resolve(__dirname, '../../.build/acceptance-clients');
const PYTHON_CLIENT = 'influxdb-client==1.50.0';

/** Runs a program with the job as its input; its output is a JSON array of texts. */
async function run(command: string, args: readonly string[], job: Job): Promise<string[]> {
  const { code, stdout, stderr } = await execute(command, args, JSON.stringify(job));
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}`);
  const errors: unknown = JSON.parse(stdout);
  if (!Array.isArray(errors)) throw new Error(`${command} did not print an array: ${stdout}`);
  return errors.map(String);
}

function execute(command: string, args: readonly string[], input: string | Uint8Array) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve, reject) => {
    const child = execFile(command, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      const code = error?.code ?? 0;
      if (typeof code === 'number') resolve({ code, stdout, stderr });
      else reject(error);
    });
    child.stdin?.end(input);
  });
}

/** Builds the Go program, which has the clients in Go. Returns the reason if a tool or the network is missing. */
export function buildGoClients(): string | undefined {
  if (!runs('go', 'version')) return 'no go: install Go 1.26 (https://go.dev/dl)';
  const cwd = path.join(HERE, 'go');
  try {
    execFileSync('go', ['mod', 'download'], { cwd, stdio: 'ignore' });
  } catch {
    return 'the Go modules cannot be downloaded: `go mod download` in test/acceptance/clients/go says why';
  }
  execFileSync('go', ['build', '-o', GO_BINARY, '.'], { cwd, stdio: 'inherit' });
  return undefined;
}

/** One call of curl per batch, as in a shell script, with curl's own `--retry`. */
async function writeByCurl({ url, token, measurement, lines, batchSize, gzip }: Job): Promise<string[]> {
  const written = lines.length > 0 ? lines : [`${measurement},${TYPED_POINT}`];
  const options = ['-sS', '--fail-with-body', '--retry', '5', '-H', `Authorization: Token ${token}`];
  if (gzip) options.push('-H', 'Content-Encoding: gzip');
  const errors: string[] = [];
  for (let start = 0; start < written.length; start += batchSize) {
    const text = Buffer.from(written.slice(start, start + batchSize).join('\n'));
    const target = `${url}/api/v2/write?org=any&bucket=any`;
    const args = [...options, target, '--data-binary', '@-'];
    const { code, stdout, stderr } = await execute('curl', args, gzip ? gzipSync(text) : text);
    if (code !== 0) errors.push(`${/^curl: .*/m.exec(stderr)?.[0]} ${stdout}`);
  }
  return errors;
}

/** The point with a field of every type, without its measurement, for curl; the programs build it themselves. */
const TYPED_POINT =
  'city=São\\ Paulo,path=C:\\a\\,\\ b\\=c f=-0.25,i=-7i,u=7u,b=true,s="a \\"b\\" \\\\ c" 1709294400000000007';

/** The version of a Go module in go.mod. */
function goVersion(module: string): string {
  const text = readFileSync(path.join(HERE, 'go/go.mod'), 'utf8');
  return (
    text
      .split('\n')
      .find((line) => line.trim().startsWith(`${module} `))
      ?.trim()
      .split(' ')[1] ?? ''
  );
}

export function realClients(): Client[] {
  const { version } = JSON.parse(
    readFileSync(path.resolve(__dirname, '../../node_modules/@influxdata/influxdb-client/package.json'), 'utf8'),
  ) as { version: string };
  const { python, missing } = pythonWith('influxdb_client', PYTHON_CLIENT);
  const noGo = buildGoClients();
  const goClient = (program: string, name: string, module: string): Client => ({
    name: `${name} ${goVersion(module)}`,
    missing: noGo,
    write: (job) => run(GO_BINARY, [program], job),
  });
  return [
    {
      name: `influxdb-client-js ${version}`,
      missing: undefined,
      write: (job) => run(process.execPath, [path.join(HERE, 'influxdb-client.mjs')], job),
    },
    {
      name: `influxdb-client-python ${PYTHON_CLIENT.split('==')[1]}`,
      missing,
      write: (job) => run(python, [path.join(HERE, 'influxdb_client_python.py')], job),
    },
    goClient('influxdb-client-go', 'influxdb-client-go', 'github.com/influxdata/influxdb-client-go/v2'),
    goClient('line-protocol', 'line-protocol', 'github.com/influxdata/line-protocol/v2'),
    goClient('telegraf', 'Telegraf outputs.influxdb_v2', 'github.com/influxdata/telegraf'),
    {
      name: 'curl',
      missing: runs('curl', '--fail-with-body', '--version') ? undefined : 'no curl: install curl 7.76 or newer',
      write: writeByCurl,
    },
  ];
}
