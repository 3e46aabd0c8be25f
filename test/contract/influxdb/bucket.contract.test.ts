/** What is read of a bucket before a load, from a fake InfluxDB 3 and from servers that refuse. */
import { readBucket } from 'shared/influxdb/bucket';
import type { Engine } from 'shared/influxdb/protocol';
import { staticToken } from 'shared/influxdb/token';
import { FakeInfluxDB3, V3_TOKEN } from '../../support/fake-influxdb3';
import { clientOf } from '../../support/influx-writing';
import { type Answer, type ReceivedRequest, ScriptedServer } from '../../support/scripted-server';

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

type Respond = (request: ReceivedRequest) => Answer | Promise<Answer>;

async function read(engine: Engine, respond: Respond, token = V3_TOKEN) {
  server = await ScriptedServer.start(respond);
  const client = clientOf(server.url, { engine, tokens: staticToken(token) });
  const reading = await readBucket(client);
  client.close();
  return reading;
}

const write = (fake: FakeInfluxDB3, body: string) =>
  fake.answer({
    ...{ method: 'POST', path: '/api/v3/write_lp', query: new URLSearchParams({ db: 'energy_data' }) },
    ...{ headers: { authorization: `Bearer ${V3_TOKEN}` }, body, size: body.length, connection: 0 },
  });

describe('InfluxDB 3', () => {
  test('reads the kinds of all columns in one query', async () => {
    const fake = new FakeInfluxDB3();
    await write(fake, 'cpu,host=a f=1,i=1i,u=1u,b=true,s="x" 1\ndisk free=2 1');
    const reading = await read('v3', fake.answer);

    expect(reading).toMatchObject({ kind: 'read', state: { retentionSeconds: undefined } });
    const { columns } = reading.kind === 'read' ? reading.state : { columns: new Map() };
    expect([...columns.keys()]).toEqual(['cpu', 'disk']);
    expect(Object.fromEntries([...(columns.get('cpu') ?? [])].map(([name, kinds]) => [name, [...kinds]]))).toEqual({
      ...{ host: ['tag'], f: ['float'], i: ['integer'], u: ['unsigned'], b: ['boolean'], s: ['string'] },
    });
    expect(server?.requests).toHaveLength(1);
  });

  test('a database that does not exist is empty, because the first write creates it', async () => {
    expect(await read('v3', new FakeInfluxDB3().answer)).toEqual({
      ...{ kind: 'read', state: { retentionSeconds: undefined, columns: new Map() } },
    });
  });

  test('names the reason when the token is refused', async () => {
    expect(await read('v3', new FakeInfluxDB3().answer, 'other')).toEqual({
      kind: 'unread',
      reason: 'InfluxDB returned 401: the request was not authenticated',
    });
  });
});

test.each<[string, Answer, RegExp]>([
  ['a page of a proxy', { status: 200, body: '<html>' }, /the response of \/api\/v2\/buckets is not JSON/],
  ['another document', { status: 200, body: '{"a":1}' }, /the response of \/api\/v2\/buckets is not valid: buckets/],
  ['a connector, which has no buckets', { status: 404, body: '{"message":"no such path"}' }, /404: no such path/],
  ['a closed connection', 'drop', /./],
])('does not throw for %s', async (_, answer, reason) => {
  expect(await read('v2', () => answer)).toEqual({ kind: 'unread', reason: expect.stringMatching(reason) });
});
