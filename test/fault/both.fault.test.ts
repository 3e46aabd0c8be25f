/** Clients write to a connector with two destinations while one of them, or the network to it, fails: both hold every acknowledged point. */
import { setTimeout as wait } from 'node:timers/promises';
import type { DeadLetter } from '../../functions/write-line-protocol/dead-letters';
import { type Connector, connectorBefore, DATABASE, numberedLines } from '../contract/connector/harness';
import { describeWithInfluxd, Influxd, ORG, STARTING_MS, TOKEN } from '../support/influxd';
import { TcpProxy, type Treatment } from '../support/tcp-proxy';
import { TimestreamProcess } from '../support/timestream-process';
import { type Delivery, deliver, expectNothingLost, type Send, sendTo } from './telegraf';

const CLIENTS = 3;
const LINES_EACH = 1_000;
const BATCH = { batchSize: 50, maxTries: 2_000 };
/** Clients wait this long after 429 and 503, in place of Retry-After, ms. */
const PAUSE_MS = 50;

describeWithInfluxd('two destinations, each a process of its own,', (binary) => {
  let influxd: Influxd;
  let timestream: TimestreamProcess;
  let proxies: { timestream: TcpProxy; influxdb: TcpProxy };
  let connector: Connector;
  let messages: DeadLetter[];
  let runs = 0;
  let name = '';
  beforeAll(async () => {
    [influxd, timestream] = await Promise.all([Influxd.start(binary), TimestreamProcess.start()]);
  }, STARTING_MS);
  beforeEach(async () => {
    name = `run${runs++}`;
    messages = [];
    await influxd.makeBucket(name);
    proxies = { timestream: await TcpProxy.start(timestream.port), influxdb: await TcpProxy.start(influxd.port) };
  });
  afterEach(async () => {
    await connector.close();
    await Promise.all([proxies.timestream.stop(), proxies.influxdb.stop()]);
  });
  afterAll(() => Promise.all([influxd?.remove(), timestream?.remove()]));

  async function start(environment: Record<string, string> = {}): Promise<void> {
    connector = await connectorBefore(proxies.timestream.url, {
      environment: {
        destination: 'both',
        INFLUXDB_URL: proxies.influxdb.url,
        INFLUXDB_ORG: ORG,
        INFLUXDB_BUCKET: name,
        INFLUXDB_TOKEN: TOKEN,
        write_deadline_millis: '1500',
        ...environment,
      },
      sendDeadLetter: (message) => Promise.resolve(messages.push(message)),
    });
  }

  const linesOf = (client: number): string[] =>
    numberedLines(name, LINES_EACH * (client + 1)).slice(LINES_EACH * client);

  /** Writes by several clients at a time. @param onResponse called with each response */
  async function write(onResponse: (status: number | undefined) => void = () => undefined): Promise<Delivery[]> {
    const send: Send = async (body) => {
      const response = await sendTo(connector)(body);
      onResponse(response?.status);
      if (response?.status === 503 || response?.status === 429) await wait(PAUSE_MS);
      return response;
    };
    return await Promise.all(Array.from({ length: CLIENTS }, (_, client) => deliver(linesOf(client), send, BATCH)));
  }

  async function expectStoredInBoth(deliveries: readonly Delivery[]): Promise<void> {
    const lines = numberedLines(name, LINES_EACH * CLIENTS);
    const lineOf = (n: string, value: string): string =>
      Number(n) === Number(value) ? (lines[Number(n)] ?? n) : `${n} with ${value}`;
    const rows = await timestream.select(`SELECT n, value FROM "${DATABASE}"."${name}"`);
    const values = await influxd.values(name);
    const fieldsOf = (field: string) =>
      new Map(values.filter((each) => each.field === field).map(({ time, value }) => [time, value]));
    const [numbers, floats] = [fieldsOf('n'), fieldsOf('value')];
    const stored = {
      timestream: rows.map(([n, value]) => lineOf(String(n), String(value))),
      influxdb: [...numbers].map(([time, n]) => lineOf(n, floats.get(time) ?? '')),
    };
    for (const delivery of deliveries) {
      const own = new Set([...delivery.acknowledged, ...delivery.kept]);
      for (const all of Object.values(stored)) {
        expectNothingLost(
          delivery,
          all.filter((line) => own.has(line)),
        );
      }
    }
    expect([stored.timestream.length, stored.influxdb.length]).toEqual([lines.length, lines.length]);
  }

  test.each<[string, string, () => unknown, () => unknown]>([
    ['Timestream', 'is killed and started again', () => timestream.kill(), () => timestream.restart()],
    ['Timestream', 'is paused', () => timestream.pause(), () => timestream.resume()],
    ['InfluxDB', 'is killed and started again', () => influxd.kill(), () => influxd.restart()],
    ['InfluxDB', 'is paused', () => influxd.pause(), () => influxd.resume()],
  ])(
    'both hold every acknowledged point if %s %s while clients write',
    async (_, _what, fail, recover) => {
      await start();
      const statuses: (number | undefined)[] = [];
      let failing: Promise<unknown> | undefined;
      let recovering: Promise<unknown> | undefined;
      const deliveries = await write((status) => {
        statuses.push(status);
        if (statuses.filter((each) => each === 204).length === 10) failing ??= Promise.resolve(fail());
        // While one destination is away, nothing is acknowledged.
        if (statuses.filter((each) => each === 503).length === 6) {
          recovering ??= (failing ?? Promise.resolve()).then(recover);
        }
      });
      await recovering;
      expect(recovering).toBeDefined();
      expect([...new Set(statuses)].sort()).toEqual([204, 503]);
      await expectStoredInBoth(deliveries);
    },
    120_000,
  );

  test.each<['timestream' | 'influxdb', Treatment]>([
    ['timestream', 'drop before'],
    ['timestream', 'drop after'],
    ['timestream', 'hang'],
    ['influxdb', 'drop before'],
    ['influxdb', 'drop after'],
    ['influxdb', 'trickle'],
    ['influxdb', 'hang'],
  ])(
    'both hold every acknowledged point if the network to %s treats every fifth request as "%s"',
    async (to, treatment) => {
      await start();
      proxies[to].plan = (request) => (request % 5 === 4 ? treatment : 'pass');
      await expectStoredInBoth(await write());
    },
    120_000,
  );

  test('without InfluxDB the optional points are kept for it alone, and a replay stores them', async () => {
    await start({ secondary_required: 'false', dead_letter_queue_url: 'https://queue' });
    await influxd.kill();
    const deliveries = await write();
    expect(new Set(deliveries.flatMap(({ statuses }) => statuses))).toEqual(new Set([204]));
    expect(new Set(messages.map(({ destination }) => destination))).toEqual(new Set(['influxdb']));
    await influxd.restart();
    const waiting = messages.splice(0);
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
      const event = message;
      await connector.handler(event).catch(async () => {
        // The circuit breaker is still open.
        await wait(PAUSE_MS);
        waiting.push(event);
      });
    }
    await expectStoredInBoth(deliveries);
  }, 120_000);
});
