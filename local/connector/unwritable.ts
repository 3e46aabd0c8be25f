/** Checks at the start whether InfluxDB can be written to, so that a wrong option does not wait for the first write. */
import type { InfluxDBDestination } from 'shared/destination-config';
import { checkHealth, type HealthAdvice, type HealthReport } from 'shared/influxdb/health';
import { influxClient } from '../../functions/clients/influxdb';

const ADVICE: HealthAdvice = {
  unreachable: 'check that InfluxDB is running there, or set another URL with --influxdb-url',
  unauthorized: 'set a valid token with --influxdb-token',
  useEngine: (engine) => `use --influxdb-engine ${engine}`,
  missing: {
    org: 'name yours with --influxdb-org',
    bucket: 'create it, or name yours with --influxdb-bucket',
  },
};

/** The warning if InfluxDB cannot be written to, with the cause; undefined if it can. Stores nothing; takes up to 7 s. */
export async function unwritableWarning(influxdb: InfluxDBDestination): Promise<string | undefined> {
  const client = influxClient(influxdb);
  try {
    const cause = causeIn(await checkHealth(client, ADVICE), influxdb);
    return cause && `warning: InfluxDB cannot be written to, so writes get 503: ${cause}`;
  } catch (error) {
    return `warning: InfluxDB cannot be written to, so writes get 503: ${error instanceof Error ? error.message : error}`;
  } finally {
    client.close();
  }
}

/** Names that come from the requests are not known yet: then only the server is checked. */
function causeIn({ checks }: HealthReport, { buckets, orgs }: InfluxDBDestination): string | undefined {
  const areNamesKnown = buckets.kind === 'configured' && orgs.kind === 'configured';
  const decisive = areNamesKnown ? ['alive', 'write'] : ['alive'];
  return checks.find(({ name, status }) => decisive.includes(name) && status === 'fail')?.detail;
}
