/**
 * The same requests to a real InfluxDB, and to the endpoint with the destination `influxdb` before it: both responses are compared, and the
 * points read back from both buckets.
 */
import type { RunningConnector } from '../../local/connector/server';
import { missingCorpus } from '../support/corpus';
import { findInfluxd, ORG, STARTING_MS, TOKEN } from '../support/influxd';
import { startInfluxdbEndpoint } from '../support/influxdb-endpoint';
import type { Case } from './differential/case';
import { type Comparison, compare, type Sides } from './differential/compare';
import { corpusCases } from './differential/corpus';
import { destinationCases } from './differential/destination-cases';
import { DESTINATION_DIFFERENCES } from './differential/destination-differences';
import { documentedDifferences } from './differential/documented';
import { INFLUXDB_TYPES, InfluxdbSide } from './differential/influxdb-side';
import { randomCases, SEED } from './differential/random-cases';
import { reportComparisons } from './differential/report-comparisons';
import { describeProof } from './report';

const binary = findInfluxd();
const missing = binary === undefined ? 'no influxd: set INFLUXD to one of version 2.7' : undefined;

/** The cells of docs/differences.md for each difference: InfluxDB, the endpoint, why. */
const documented = documentedDifferences('The destination InfluxDB');

/** An endpoint with the settings of the current case. */
class Endpoint {
  private running: RunningConnector | undefined;
  private settings = '';

  constructor(private readonly influxdb: string) {}

  readonly url = async (environment: Readonly<Record<string, string>>): Promise<string> => {
    const settings = JSON.stringify(environment);
    if (this.running === undefined || this.settings !== settings) {
      await this.close();
      const place = { INFLUXDB_URL: this.influxdb, INFLUXDB_ORG: ORG, INFLUXDB_TOKEN: TOKEN };
      const mapping = { bucket_mapping: 'passthrough', org_mapping: 'passthrough' };
      this.running = await startInfluxdbEndpoint({ ...place, ...mapping, ...environment });
      this.settings = settings;
    }
    return this.running.url;
  };

  async close(): Promise<void> {
    await this.running?.close();
  }
}

describeProof('InfluxDB OSS 2.7.12, directly and behind the endpoint', missing, () => {
  let influxdb: InfluxdbSide;
  let endpoint: Endpoint;
  let sides: Sides;
  const compared = new Map<string, Comparison[]>();

  beforeAll(async () => {
    influxdb = await InfluxdbSide.start(binary ?? '', INFLUXDB_TYPES);
    endpoint = new Endpoint(influxdb.url);
    sides = {
      influxdb,
      connector: influxdb.through(endpoint.url),
      differences: DESTINATION_DIFFERENCES,
      exactStatuses: true,
    };
  }, STARTING_MS);
  afterAll(async () => {
    await endpoint.close();
    await influxdb.remove();
    reportComparisons(compared, documented, 'the endpoint');
  });

  /** The comparisons that no listed difference explains. */
  async function unexplained(source: string, cases: readonly Case[]) {
    const comparisons: Comparison[] = [];
    compared.set(source, comparisons);
    for (const given of cases) comparisons.push(await compare(given, sides));
    return comparisons
      .filter((each) => each.unexplained)
      .map(({ given, influxdb, connector }) => ({
        name: given.name,
        bodies: given.requests.map(({ body }) => Buffer.from(body.subarray(0, 1_000)).toString()),
        influxdb,
        connector,
      }));
  }

  test('handwritten requests: the same statuses and the same points, except for the listed differences', async () => {
    expect(await unexplained('handwritten', destinationCases())).toEqual([]);
  });

  test(`random requests of seed ${SEED}: the same statuses and the same points, except for the listed differences`, async () => {
    expect(await unexplained('random', randomCases())).toEqual([]);
  });

  describeProof("InfluxData's corpus", missingCorpus, () => {
    test('its inputs: the same statuses and the same points, except for the listed differences', async () => {
      expect(await unexplained('corpus', corpusCases())).toEqual([]);
    });
  });

  test('no limit of Timestream applies: what it cannot store is stored', () => {
    const beyond = [
      'empty string',
      'before 1970',
      'the future',
      'no tags',
      'unsigned',
      'reserved name',
      'colon',
      'quota',
      'same name',
    ];
    const all = [...compared.values()].flat();
    const unequal = beyond.map((name) => {
      const found = all.filter(({ given }) => given.name.includes(name));
      return [name, found.length > 0, found.filter(({ classes }) => classes.length > 0).map(({ given }) => given.name)];
    });
    expect(unequal).toEqual(beyond.map((name) => [name, true, []]));
  });

  test.each(DESTINATION_DIFFERENCES.map(({ name }) => name))('the difference occurs and is documented: %s', (name) => {
    expect([...compared.values()].flat().some(({ classes }) => classes.includes(name))).toBe(true);
    expect(documented.get(name)).toEqual([expect.any(String), expect.any(String), expect.stringMatching(/./)]);
  });

  test('every documented difference occurs', () => {
    expect([...documented.keys()].sort()).toEqual(DESTINATION_DIFFERENCES.map(({ name }) => name).sort());
  });
});
