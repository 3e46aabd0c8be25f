/** A migration while Timestream, S3 and InfluxDB fail at random: it is started again until it is proved, and then everything is there. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { S3UnavailableError } from 'shared/errors';
import type { LineWriter } from 'shared/influxdb/client';
import { InfluxClient } from 'shared/influxdb/client';
import { staticToken } from 'shared/influxdb/token';
import { readText } from 'shared/loads/objects';
import { type Proof, proofSchema } from 'shared/migration/proof';
import { runMigration } from '../../local/migration/workflow';
import { NOW } from '../contract/timestream/harness';
import { BUCKET, describeWithInfluxd, Influxd, ORG, STARTING_MS, TOKEN } from '../support/influxd';
import { EXPORTS, fill, ledgerOf, multi, REQUEST, type Source, startSource, WORK } from '../support/migration';
import { migrationServices } from '../support/migration-run';
import { testReader } from '../support/parquet';
import { VirtualClock } from '../support/virtual-clock';

const DAY = 86_400_000_000_000n;
const START = BigInt(NOW) * 1_000_000n - 10n * DAY;
const ROWS = 200;
const reader = testReader();

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

describeWithInfluxd('a migration with faults', (binary) => {
  let influxd: Influxd;
  let source: Source;

  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    source = await startSource({ maxRows: 60 });
    await fill(
      source,
      'machines',
      Array.from({ length: ROWS }, (_, n) =>
        multi(
          { device: `d${n % 3}` },
          { n: ['BIGINT', String(n)], ...(n % 2 && { x: ['DOUBLE', `${n}.5`] }) },
          START + (BigInt(n) * DAY) / 40n,
        ),
      ),
    );
    await fill(source, 'rooms', [multi({ room: 'a' }, { ok: ['BOOLEAN', 'true'] }, START)]);
  }, STARTING_MS);
  afterAll(async () => {
    await source.stop();
    await influxd.remove();
  });

  function faulty(random: () => number) {
    const fails = (share: number): boolean => random() < share;
    const query: Source['query'] = async (input, signal) => {
      if (fails(0.05))
        throw Object.assign(new Error('slow'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
      const page = await source.query(input, signal);
      // The query went on, but its response is lost.
      if (fails(0.05))
        throw Object.assign(new Error('lost'), { name: 'InternalServerException', $metadata: { httpStatusCode: 500 } });
      if (fails(0.01))
        throw Object.assign(new Error('refused'), {
          name: 'AccessDeniedException',
          $metadata: { httpStatusCode: 403 },
        });
      return page;
    };
    const { objects: real } = source;
    const objects = Object.assign(Object.create(real) as typeof real, {
      read: (...args: Parameters<typeof real.read>) => {
        if (fails(0.01)) throw new S3UnavailableError('read');
        return real.read(...args);
      },
      write: async (...args: Parameters<typeof real.write>) => {
        if (fails(0.01)) throw new S3UnavailableError('write');
        await real.write(...args);
        if (fails(0.01)) throw new S3UnavailableError('written, but the response is lost');
      },
    });
    const client = new InfluxClient({ engine: 'v2', url: influxd.url, org: ORG, bucket: BUCKET }, staticToken(TOKEN));
    const influxdb: LineWriter = {
      encode: (lines) => client.encode(lines),
      write: async (encoded, signal) => {
        if (fails(0.2)) return { kind: 'retryable', cause: 'unavailable', reason: 'no response' };
        const outcome = await client.write(encoded, signal);
        return fails(0.2) ? { kind: 'retryable', cause: 'unavailable', reason: 'the response is lost' } : outcome;
      },
    };
    return migrationServices(
      { ...source, query },
      influxd,
      reader,
      { objects },
      { influxdb, objects, clock: new VirtualClock() },
    );
  }

  async function proofOf(migrationId: string): Promise<Proof> {
    const text = await readText(source.objects, { bucket: WORK, key: `migrations/${migrationId}/proof.json` });
    return proofSchema.parse(JSON.parse(text ?? ''));
  }

  test.each(Array.from({ length: 12 }, (_, seed) => [seed + 1]))(
    'is proved in the end, with all values (seed %i)',
    async (seed) => {
      for (const bucket of [WORK, EXPORTS]) rmSync(join(source.folder, bucket), { recursive: true, force: true });
      await fetch(`${influxd.url}/api/v2/delete?org=${ORG}&bucket=${BUCKET}`, {
        method: 'POST',
        headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ start: '1970-01-01T00:00:00Z', stop: '2100-01-01T00:00:00Z' }),
      });
      const migrationId = `faulty-${seed}`;
      const random = randomOf(seed);
      let status = '';
      for (let runs = 0; status !== 'proved' && runs < 60; runs++) {
        const input = (await ledgerOf(migrationId, source).findMigration()) ? { resume: migrationId } : REQUEST;
        status = await runMigration(migrationId, input, faulty(random)).then(
          (report) => report.status,
          (error: Error) => error.name,
        );
      }
      expect(status).toBe('proved');
      const { tables, differencesTotal } = await proofOf(migrationId);
      expect(differencesTotal).toBe(0);
      for (const table of tables) {
        const rows = table.table === 'machines' ? ROWS : 1;
        expect(table).toMatchObject({
          manifest_rows: rows,
          rows_read: rows,
          points: rows,
          written: rows,
          empty: 0,
          invalid: 0,
        });
      }
      expect(await influxd.values()).toHaveLength(ROWS + ROWS / 2 + 1);
    },
    120_000,
  );
});
