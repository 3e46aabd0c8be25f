/** A real InfluxDB 2 that is killed during a load, and is restarted soon or stays down. */
import type { LineBatch } from 'shared/points/batch-buffer';
import { clientOf, numberedBatches, recordingLogger, write } from '../../support/influx-writing';
import { describeWithInfluxd, Influxd, STARTING_MS } from '../../support/influxd';
import { VirtualClock } from '../../support/virtual-clock';

const BATCHES = 60;
const LINES = 500;
/** Timeout for a restart, which takes longer on a busy machine. */
const LIMIT_MS = 60_000;

describeWithInfluxd('an InfluxDB 2 that is killed', (binary) => {
  let influxd: Influxd;
  beforeEach(async () => {
    influxd = await Influxd.start(binary);
  }, STARTING_MS);
  afterEach(() => influxd?.remove());

  /** The batches. InfluxDB is killed after a third of them. */
  async function* killedMeanwhile(): AsyncGenerator<LineBatch> {
    let index = 0;
    for await (const batch of numberedBatches(BATCHES, LINES)) {
      if (index++ === BATCHES / 3) await influxd.kill();
      yield batch;
    }
  }

  test(
    'is killed during a load and restarted: no point is missing',
    async () => {
      const client = clientOf(influxd.url);
      let restarted: Promise<void> | undefined;
      let failures = 0;
      // It stays down until the breaker has opened and a probe has failed.
      const logger = recordingLogger(({ message }) => {
        if (message === 'a write will be retried' && ++failures === 5) restarted = influxd.restart();
      });
      const result = await write(client, killedMeanwhile(), { logger });
      await restarted;
      client.close();
      expect(result).toMatchObject({
        pointsWritten: BATCHES * LINES,
        failedLines: 0,
        rejectedLines: 0,
        failure: undefined,
      });
      expect(result.retries).toBeGreaterThanOrEqual(5);
      expect(await influxd.count('v')).toBe(BATCHES * LINES);
    },
    LIMIT_MS,
  );

  test(
    'stays down: the load fails within 40 s with the reason, and a second run completes it',
    async () => {
      const client = clientOf(influxd.url);
      const clock = new VirtualClock();
      const result = await write(client, killedMeanwhile(), { clock, skipFailedBatches: true });
      expect(result.failure).toMatchObject({ name: 'InfluxDBConnectionError' });
      expect(result.failure?.message).toMatch(/^InfluxDB was unavailable for 30 s: nothing listens at .*ECONNREFUSED/);
      expect(clock.now()).toBeLessThan(40_000);
      expect(result.batches).toBeLessThan(BATCHES);
      expect(result.pointsWritten + result.failedLines).toBe(result.batches * LINES);

      await influxd.restart();
      expect(await influxd.count('v')).toBeGreaterThanOrEqual(result.pointsWritten);
      const again = await write(client, numberedBatches(BATCHES, LINES));
      client.close();
      expect(again).toMatchObject({ pointsWritten: BATCHES * LINES, failure: undefined });
      expect(await influxd.count('v')).toBe(BATCHES * LINES);
    },
    LIMIT_MS,
  );
});
