/** Times as text, as engines and languages print them; expected instants by hand. */
import { parquetOf } from '../../support/loader';
import { collect, memorySource, testReader } from '../../support/parquet';
import { mapping } from '../../support/parquet-mapping';

const reader = testReader();

/** The instant that each text becomes, ISO 8601 with nanoseconds; undefined where its row is invalid. */
async function instantsOf(texts: readonly string[], zone?: string): Promise<(string | undefined)[]> {
  const values = texts.map((text, row) => `(${row}, '${text}')`).join();
  const file = await parquetOf(`SELECT t, i::VARCHAR AS tag, 1.0 AS v FROM (VALUES ${values}) AS r(i, t)`);
  const { lines } = await collect(reader, memorySource(new Uint8Array(file)), mapping({ ...(zone && { zone }) }));
  const times = new Map(
    lines.map((line) => [/tag=(\d+)/.exec(line)?.[1], BigInt(line.slice(line.lastIndexOf(' ') + 1))]),
  );
  return texts.map((_, row) => {
    const nanos = times.get(String(row));
    if (nanos === undefined) return undefined;
    const date = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString();
    return `${date.slice(0, 19)}.${String(nanos % 1_000_000_000n).padStart(9, '0')}`;
  });
}

const NOON = '2024-03-01T12:00:00.000000000';

test.each([undefined, 'Asia/Tokyo'])(
  'a text that names its offset or zone is an instant, whatever the zone %s',
  async (zone) => {
    const texts = [
      ...['2024-03-01 12:00:00 UTC', '2024-03-01 12:00:00.000 UTC', '2024-03-01 12:00:00+00', '2024-03-01T12:00:00Z'],
      ...['2024-03-01 12:00:00.000000 Z', '2024-03-01T12:00z', '2024-03-01 09:00:00-03', '2024-03-01 09:00:00 -0300'],
      ...['2024-03-01 12:00:00 GMT', '2024-03-01 12:00:00 +0000 UTC', '2024-03-01T09:00-03:00[America/Sao_Paulo]'],
      ...['2024-03-01 09:00:00.000 America/Sao_Paulo', '2024-03-01 07:00:00 America/New_York'],
      '2024-03-01 12:00:00.000000000000 UTC',
    ];
    expect(await instantsOf(texts, zone)).toEqual(texts.map(() => NOON));
    expect(await instantsOf(['2024-03-01 12:00:00.123456 UTC'], zone)).toEqual(['2024-03-01T12:00:00.123456000']);
  },
);

test('a text without offset and zone is a wall-clock time in the mapping’s zone', async () => {
  expect(await instantsOf(['2024-03-01 12:00:00', '2024-03-01T12:00'])).toEqual([NOON, NOON]);
  expect(await instantsOf(['2024-03-01 09:00:00', '2024-03-01'], 'America/Sao_Paulo')).toEqual([
    NOON,
    '2024-03-01T03:00:00.000000000',
  ]);
});

test('a text that is not exactly a time makes its row invalid', async () => {
  const texts = [
    ...['2024-03-01 12:00:00 XYZ', '2024-03-01 12:00:00 Mars/Olympus', '2024-03-01 12:00:00.1234567891', '2024-02-30'],
    ...['2024-03-01 25:00:00', '2024-03-01 12:00:00+99', '12:00:00 UTC', '2024-03-01 UTC', '1709294400'],
  ];
  expect(await instantsOf(texts)).toEqual(texts.map(() => undefined));
});
