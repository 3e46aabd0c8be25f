/**
 * The responses of InfluxDB 2.7.12 and of the connector to the same requests: paths, methods, forms of a target, headers. An integration
 * test compares the first status with a real InfluxDB, a contract test the second with the connector.
 */
export interface PathCase {
  readonly method: string;
  /** The target of the request line; `{base}` is the URL of the server. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly influxdb: number;
  /** Default: the status of InfluxDB. */
  readonly connector?: number;
  /** Text of the connector's response if it differs from InfluxDB. */
  readonly message?: RegExp;
}

/** The bucket and org of `test/support/influxd.ts`. */
const WRITE = '/api/v2/write?org=ons-energy&bucket=energy_data&precision=s';
const LINE = 'paths,t=a v=1 1709294400';
const ORIGIN = { Origin: 'http://app.example' };

const write = (target: string, influxdb: number, more: Partial<PathCase> = {}): PathCase => ({
  method: 'POST',
  target,
  body: LINE,
  influxdb,
  ...more,
});
const each = (methods: string, target: string, influxdb: number, more: Partial<PathCase> = {}): PathCase[] =>
  methods.split(' ').map((method) => ({ method, target, influxdb, ...more }));

const notServed = (methods: string, target: string, influxdb: number, message: RegExp): PathCase[] =>
  each(methods, target, influxdb, { connector: 404, message });

export const PATH_CASES: readonly PathCase[] = [
  ...each('GET HEAD POST PUT PATCH DELETE OPTIONS', '/health', 200),
  ...each('GET HEAD POST PUT PATCH DELETE OPTIONS', '/ready', 200),
  ...each('GET', '/health/', 200),
  ...each('HEAD', '/ready/', 200),
  ...each('GET HEAD', '/ping', 204),
  ...each('OPTIONS', '/ping', 200),
  ...each('POST PUT PATCH DELETE', '/ping', 405),
  ...each('GET HEAD PUT PATCH DELETE OPTIONS', '/api/v2/write', 405),
  ...each('GET HEAD PUT PATCH DELETE', '/write', 405),
  ...each('OPTIONS', '/write', 200),
  ...each('OPTIONS', WRITE, 204, { headers: ORIGIN }),
  ...each('GET HEAD POST PUT', '/nope', 404),
  ...each('GET POST', '/api/v2/nope', 404),
  ...each('GET', '/', 404),

  write(WRITE, 204),
  write('/write?db=energy_data&precision=s', 204),
  write('/api/v2/write/?org=ons-energy&bucket=energy_data&precision=s', 308, { connector: 204 }),
  write('/write/?db=energy_data&precision=s', 404, { connector: 204 }),
  write(`{base}${WRITE}`, 204),
  write(`http://proxied.example:1234${WRITE}`, 204),
  write(`//proxied.example${WRITE}`, 404),
  write(WRITE.replace('write', '%77rite'), 404),
  write(WRITE.replace('write', 'WRITE'), 404),
  write(WRITE.replace('write', 'write//'), 308, { connector: 404 }),
  write(`${WRITE}&precision=ns`, 204),
  write(`${WRITE}&precision=nope`, 204),
  write(WRITE.replace('precision=s', 'precision=nope&precision=s'), 400),
  write(WRITE, 204, { headers: { 'Content-Encoding': 'utf-8' } }),
  write(WRITE, 204, { headers: { 'Content-Encoding': 'ISO-8859-1' } }),
  write(WRITE, 204, { headers: { 'Content-Encoding': 'br' }, connector: 415 }),
  write(WRITE, 204, { headers: { 'Content-Encoding': 'deflate, utf-8' }, connector: 415 }),
  write(WRITE, 204, { headers: { ...ORIGIN } }),

  ...notServed('POST', '/api/v2/query?org=ons-energy', 400, /queries are not served here.*SQL/),
  ...notServed('GET POST', '/query?q=SHOW+DATABASES', 200, /queries are not served here.*SQL/),
  ...notServed('POST', '/api/v2/delete?org=ons-energy&bucket=energy_data', 400, /deleting points is not served here/),
  ...notServed(
    'GET',
    '/api/v2/buckets?name=energy_data',
    200,
    /\/api\/v2\/buckets is not served here.*any org and bucket/,
  ),
  ...notServed('GET', '/api/v2/orgs', 200, /\/api\/v2\/orgs is not served here/),
  ...notServed('GET', '/api/v2/me', 200, /\/api\/v2\/me is not served here/),
  ...notServed('GET', '/api/v2/setup', 200, /\/api\/v2\/setup is not served here/),
  ...notServed('GET', '/api/v2/tasks', 200, /\/api\/v2\/tasks is not served here/),
  ...notServed('GET', '/metrics', 200, /send writes to POST \/api\/v2\/write/),
  ...notServed('GET', '/api/v2', 200, /send writes to POST \/api\/v2\/write/),
];
