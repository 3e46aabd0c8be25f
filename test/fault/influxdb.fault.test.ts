/** Batches to a real InfluxDB 2 through a network that fails: no point is missing, and points reported as written are stored. */
import { systemClock } from 'shared/resilience/clock';
import { clientOf, numberedBatches, write } from '../support/influx-writing';
import { describeWithInfluxd, Influxd, STARTING_MS } from '../support/influxd';
import { TcpProxy, type Treatment } from '../support/tcp-proxy';
import { VirtualClock } from '../support/virtual-clock';

const [BATCHES, LINES] = [40, 250];
/** Timeout of a request, ms: enough for a busy machine, and short enough for a test. */
const TIMEOUT_MS = 1_500;
const IN_REAL_TIME = { clock: systemClock, random: () => 0, breaker: { probeEveryMs: 50 } };

describeWithInfluxd('an InfluxDB 2 behind a network that fails', (binary) => {
  let influxd: Influxd;
  let proxy: TcpProxy;
  let bucket = '';
  let buckets = 0;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  beforeEach(async () => {
    proxy = await TcpProxy.start(influxd.port);
    bucket = `bucket-${buckets++}`;
    await influxd.makeBucket(bucket);
  });
  afterEach(() => proxy.stop());
  afterAll(() => influxd?.remove());

  const load = async (options: Parameters<typeof write>[2] = {}, batches = numberedBatches(BATCHES, LINES)) => {
    const client = clientOf(proxy.url, { bucket, timeoutMs: TIMEOUT_MS });
    const result = await write(client, batches, { clock: new VirtualClock(), ...options });
    client.close();
    return result;
  };

  test.each<Treatment>(['drop before', 'drop after', 'trickle', 'hang'])(
    'loses no point if the network treats every eighth request as "%s"',
    async (treatment) => {
      proxy.plan = (request) => (request % 8 === 7 ? treatment : 'pass');
      const result = await load();
      expect(result).toMatchObject({ pointsWritten: BATCHES * LINES, failedLines: 0, rejectedLines: 0 });
      expect(result.failure).toBeUndefined();
      expect(result.retries > 0).toBe(treatment !== 'trickle');
      expect(await influxd.count('v', bucket)).toBe(BATCHES * LINES);
    },
  );

  test('gets new connections if the existing ones are silently dead', async () => {
    async function* frozenMeanwhile() {
      let batches = 0;
      for await (const batch of numberedBatches(BATCHES, LINES)) {
        if (batches++ === BATCHES / 2) proxy.freeze();
        yield batch;
      }
    }
    const result = await load(IN_REAL_TIME, frozenMeanwhile());
    expect(result).toMatchObject({ pointsWritten: BATCHES * LINES, failedLines: 0, failure: undefined });
    expect(result.retries).toBeGreaterThan(0);
    expect(await influxd.count('v', bucket)).toBe(BATCHES * LINES);
  });

  test('ends the load by the breaker if every response is lost; the next load writes all points again', async () => {
    proxy.plan = () => 'drop after';
    const result = await load();
    expect(result).toMatchObject({ pointsWritten: 0, failure: { name: 'InfluxDBConnectionError' } });
    expect(result.failedLines).toBe(result.batches * LINES);
    expect(result.batches).toBeLessThan(BATCHES);
    proxy.plan = () => 'pass';
    expect(await load()).toMatchObject({ pointsWritten: BATCHES * LINES, failure: undefined });
    expect(await influxd.count('v', bucket)).toBe(BATCHES * LINES);
  });
});
