/**
 * The cut-over of docs/cut-over.md, with its commands: Telegraf's own agent writes without pause while the destination of the endpoint
 * changes and `migrate` runs. In the end, every point that the agent was acknowledged is compared with the points in InfluxDB.
 */
import { findInfluxd, Influxd, STARTING_MS } from '../support/influxd';
import { buildGoClients } from './clients';
import { Agent } from './cut-over/agent';
import { CutOverPlace, type Migrated } from './cut-over/place';
import { INFLUXDB_TYPES, toValue } from './differential/influxdb-side';
import type { Value } from './differential/stored';
import { describeProof } from './report';

const binary = findInfluxd();
const missing = binary === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : buildGoClients();
/** Runs of `migrate` until the proof, with points that arrive late in between. */
const MAX_RUNS = 5;

const textOf = ({ measurement, tags, time, field, type, value }: Value): string =>
  JSON.stringify([measurement, tags, String(time), field, type, value]);

/** Values of one list that the other lacks, a few of them. */
function missingIn(found: readonly string[], expected: readonly string[]): string[] {
  const have = new Set(found);
  return expected.filter((text) => !have.has(text)).slice(0, 10);
}

let influxd: Influxd;
let place: CutOverPlace;

const start = async (): Promise<void> => {
  influxd = await Influxd.start(binary ?? '');
  place = await CutOverPlace.make(influxd);
};
const stop = async (): Promise<void> => {
  await place.remove();
  await influxd.remove();
};
const stored = async (): Promise<string[]> =>
  (await influxd.values()).map((value) => textOf(toValue(value, INFLUXDB_TYPES)));

describeProof(
  "Telegraf's agent, the endpoint as a process, the embedded Timestream, InfluxDB OSS 2.7.12",
  missing,
  () => {
    let agent: Agent;
    beforeAll(start, STARTING_MS);
    afterAll(async () => {
      agent?.kill();
      await stop();
    });

    test('timestream, both and influxdb, with kills and a migration, while an agent writes: InfluxDB has every acknowledged point once', async () => {
      await place.start('timestream');
      agent = new Agent(place.url);
      await agent.deliver(300);
      await agent.writeLate(50, 3);
      expect(await stored()).toEqual([]);

      // The endpoint is killed in the middle of writes: the agent repeats what was not acknowledged.
      await place.stop('SIGKILL');
      await place.start('both');
      const to = new Date().toISOString();
      await agent.deliver(200);
      await agent.writeLate(40, 2);
      const inTimestreamOnly = missingIn(await stored(), agent.values.map(textOf));
      expect(inTimestreamOnly).not.toEqual([]);

      const runs: Migrated[] = [];
      const migrating = (async () => {
        do runs.push(await place.migrate('--to', to, '--verify', 'sums'));
        while (runs.at(-1)?.code !== 0 && runs.length < MAX_RUNS);
      })();
      await agent.writeLate(30, 1);
      await migrating;
      expect(runs.at(-1)).toMatchObject({ code: 0, proof: { proved: true } });

      await place.stop('SIGTERM');
      await place.start('influxdb');
      await agent.deliver(200);
      await place.stop('SIGKILL');
      await place.start('influxdb');
      await agent.writeLate(20, 2);

      expect([await agent.end(), agent.dropped]).toEqual([0, 0]);
      const [found, expected] = [await stored(), agent.values.map(textOf)];
      expect({ lost: missingIn(found, expected), unknown: missingIn(expected, found) }).toEqual({
        lost: [],
        unknown: [],
      });
      expect([found.length, new Set(found).size]).toEqual([expected.length, expected.length]);
    });
  },
);

describeProof(
  'migrate while the endpoint stores in both, the embedded Timestream, InfluxDB OSS 2.7.12',
  missing,
  () => {
    const DAY = 86_400_000;
    const begin = Date.now() - 10 * DAY;
    const line = (n: number, value = n, at = begin + n * 1_000): string => `cpu,host=a v=${value}i ${at}000000`;
    const valueAt = async (n: number): Promise<string | undefined> =>
      (await influxd.values()).find(({ time }) => Date.parse(time) === begin + n * 1_000)?.value;

    beforeEach(start, STARTING_MS);
    afterEach(stop);

    /** Ten points in Timestream alone, then both destinations. */
    async function history(...more: readonly string[]): Promise<string> {
      await place.start('timestream');
      expect(await place.write(...Array.from({ length: 10 }, (_, n) => line(n)))).toBe(204);
      await place.stop('SIGTERM');
      await place.start('both', ...more);
      return new Date().toISOString();
    }

    test('a point that arrives late in both is extra in the proof, until its window is exported again', async () => {
      const to = await history();
      const migrate = (...more: readonly string[]) => place.migrate('--to', to, '--verify', 'sums', ...more);
      expect(await migrate()).toMatchObject({ code: 0, proof: { proved: true } });

      expect(await place.write(line(100))).toBe(204);
      const extra = {
        code: 1,
        proof: { differences: [{ kind: 'extra', table: 'cpu', field: 'v', expected: '10', found: '11' }] },
      };
      expect(await migrate('--verify-only')).toMatchObject(extra);
      // Only a window that still differs after its files were loaded again is exported again.
      expect(await migrate()).toMatchObject(extra);
      expect(await migrate()).toMatchObject({ code: 0, proof: { proved: true } });
      expect(await stored()).toHaveLength(11);
    });

    test('files that are loaded again bring back a value that a client has replaced since, until their window is exported again', async () => {
      const to = await history();
      const migrate = (...more: readonly string[]) => place.migrate('--to', to, '--verify', 'sums', ...more);
      expect(await migrate()).toMatchObject({ code: 0 });
      expect(await place.write(line(100))).toBe(204);
      expect(await migrate('--verify-only')).toMatchObject({ code: 1 });

      expect(await place.write(line(3, 333))).toBe(204);
      expect(await valueAt(3)).toBe('333');
      expect(await migrate()).toMatchObject({ code: 1 });
      expect(await valueAt(3)).toBe('3');
      expect(await migrate()).toMatchObject({ code: 0 });
      expect(await valueAt(3)).toBe('333');
    });

    test('a field that agents send as unsigned ends the migration in the survey, before anything is exported', async () => {
      await place.start('timestream');
      expect(await place.write(`cpu,host=a v=1u ${begin}000000`)).toBe(204);
      await place.stop('SIGTERM');
      await place.start('both');
      expect(await place.write(`cpu,host=a v=2u ${Date.now()}000000`)).toBe(204);
      const { code, out, err } = await place.migrate();
      expect([code, out + err]).toEqual([1, expect.stringContaining('type-conflict')]);
    });

    test('lines that only InfluxDB stores are extra in every proof, except before both stored', async () => {
      const to = await history('--influxdb-only-lines', 'all');
      const now = Date.now();
      expect(await place.write(`cpu v=5i ${now}000000`, line(0, 7, now + 1))).toBe(204);
      for (let run = 0; run < 3; run++) {
        const { code, proof } = await place.migrate('--verify', 'sums');
        expect([code, proof?.differences]).toMatchObject([1, [{ kind: 'extra', expected: '11', found: '12' }]]);
      }
      expect(await place.migrate('--verify', 'sums', '--to', to)).toMatchObject({ code: 0, proof: { proved: true } });
    });
  },
);
