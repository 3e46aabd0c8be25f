/** The same requests to a real InfluxDB and to the connector: both responses are compared, and the points read back from each. */
import { missingCorpus } from '../support/corpus';
import { findInfluxd, STARTING_MS } from '../support/influxd';
import type { Case } from './differential/case';
import { type Comparison, compare, type Sides } from './differential/compare';
import { ConnectorSide } from './differential/connector-side';
import { corpusCases } from './differential/corpus';
import { DIFFERENCES } from './differential/differences';
import { documentedDifferences } from './differential/documented';
import { InfluxdbSide } from './differential/influxdb-side';
import { randomCases, SEED } from './differential/random-cases';
import { reportComparisons } from './differential/report-comparisons';
import { writtenCases } from './differential/written-cases';
import { describeProof } from './report';

const binary = findInfluxd();
const missing = binary === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : undefined;

/** All points in one table, with Timestream's maximum retention. */
const ENVIRONMENT = { table_mapping: 'single-table', mag_store_retention_period: '73000' };

/** The cells of docs/differences.md for each difference: InfluxDB, the connector, why. */
const documented = documentedDifferences('The connector and InfluxDB OSS 2.7');

let influxdb: InfluxdbSide;
let connector: ConnectorSide;
const compared = new Map<string, Comparison[]>();

async function compareAll(source: string, cases: readonly Case[]): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  compared.set(source, comparisons);
  const sides: Sides = {
    influxdb,
    connector: { write: (given, environment) => connector.write(given, { ...ENVIRONMENT, ...environment }) },
    differences: DIFFERENCES,
  };
  for (const given of cases) comparisons.push(await compare(given, sides));
  return comparisons;
}

/** The unexplained comparisons, as a failed test shows them. */
const unexplained = (comparisons: readonly Comparison[]) =>
  comparisons
    .filter((each) => each.unexplained)
    .map(({ given, influxdb, connector }) => ({
      name: given.name,
      bodies: given.requests.map(({ body }) => Buffer.from(body).toString()),
      influxdb,
      connector,
    }));

describeProof('InfluxDB OSS 2.7.12 and the connector given the same requests', missing, () => {
  beforeAll(async () => {
    influxdb = await InfluxdbSide.start(binary ?? '');
    connector = await ConnectorSide.start();
  }, STARTING_MS);
  afterAll(async () => {
    await influxdb.remove();
    await connector.remove();
    reportComparisons(compared, documented, 'the connector');
  });

  test('handwritten requests: the same responses and the same points, except for the listed differences', async () => {
    expect(unexplained(await compareAll('handwritten', writtenCases()))).toEqual([]);
  });

  test(`random requests of seed ${SEED}: the same responses and the same points, except for the listed differences`, async () => {
    expect(unexplained(await compareAll('random', randomCases()))).toEqual([]);
  });

  describeProof("InfluxData's corpus", missingCorpus, () => {
    test('its inputs: the same responses and the same points, except for the listed differences', async () => {
      expect(unexplained(await compareAll('corpus', corpusCases()))).toEqual([]);
    });

    test('the connector returns 400 for each input that the corpus refuses, and never for an input that it accepts', () => {
      const wrong = (compared.get('corpus') ?? []).filter(
        ({ given, connector: { statuses } }) => (statuses[0] === 400) !== (given.grammar === 'refuses'),
      );
      expect(wrong.map(({ given }) => given.name)).toEqual([]);
    });
  });

  test.each(DIFFERENCES.map(({ name }) => name))('the difference occurs and is documented: %s', (name) => {
    const all = [...compared.values()].flat();
    expect(all.some(({ classes }) => classes.includes(name))).toBe(true);
    expect(documented.get(name)).toEqual([expect.any(String), expect.any(String), expect.stringMatching(/./)]);
  });

  test('every documented difference occurs', () => {
    expect([...documented.keys()].sort()).toEqual(DIFFERENCES.map(({ name }) => name).sort());
  });
});
