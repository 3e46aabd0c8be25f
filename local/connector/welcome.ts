/** What `start` prints once it listens: how to write a point, how to read it back, and where points are stored. */
import type { ConnectorConfig } from 'shared/config';
import type { InfluxDBDestination, NameMapping } from 'shared/destination-config';
import type { RunningServers, StartOptions } from '../start';

/** The parameters that name organization and bucket, where InfluxDB gets them from the request. */
function placeIn({ influxdb }: ConnectorConfig): string {
  if (influxdb === undefined) return '';
  const { target, buckets, orgs } = influxdb;
  const parameter = (name: 'org' | 'bucket', mapping: NameMapping): string => {
    if (mapping.kind === 'configured') return '';
    const [listed = target[name]] = mapping.kind === 'listed' ? mapping.names.keys() : [];
    return `${new URLSearchParams({ [name]: listed })}&`;
  };
  return `${parameter('org', orgs)}${parameter('bucket', buckets)}`;
}

/** Organization and bucket as configured, or where they come from. */
function namesIn({ target, buckets, orgs }: InfluxDBDestination): string {
  const part = (what: 'organization' | 'bucket', name: string, { kind }: NameMapping): string => {
    if (kind === 'configured') return `${what} ${name}`;
    return kind === 'passthrough'
      ? `${what} of the request`
      : `${what} by --${what === 'bucket' ? what : 'org'}-mapping`;
  };
  return `${part('organization', target.org, orgs)}, ${part('bucket', target.bucket, buckets)}`;
}

/** The text that `start` prints once it listens. */
export function welcome(
  { url, timestreamUrl }: Pick<RunningServers, 'url' | 'timestreamUrl'>,
  { dataDir, tokens }: Pick<StartOptions, 'dataDir' | 'tokens'>,
  config: ConnectorConfig,
): string {
  const { database } = config.tables;
  const header = tokens.length === 0 ? '' : " -H 'Authorization: Token YOUR_TOKEN'";
  const write = [
    `InfluxDB v2 write endpoint: ${url}`,
    `Console: ${url}/`,
    '',
    'Write a point:',
    `  curl -i '${url}/api/v2/write?${placeIn(config)}precision=s'${header} --data-binary "weather,city=Lisbon temperature=21.5 $(date +%s)"`,
  ];
  const toInfluxDB = config.influxdb && `InfluxDB at ${config.influxdb.target.url}, ${namesIn(config.influxdb)}`;
  if (timestreamUrl === undefined) {
    const places = [config.destination === 'influxdb' ? undefined : 'Amazon Timestream', toInfluxDB];
    return [...write, '', `Points go to ${places.filter(Boolean).join(' and to ')}. Ctrl-C stops.`].join('\n');
  }
  const table = config.mapping.singleTable ?? 'weather';
  const sql = `SELECT * FROM \\"${database}\\".\\"${table}\\" LIMIT 10`;
  return [
    ...write,
    '',
    'Read it back:',
    `  npx influxdb-timestream query "${sql}" --endpoint-url ${timestreamUrl}`,
    '',
    `Points are stored in the embedded Timestream at ${timestreamUrl}, ${dataDir === undefined ? 'in memory' : `in ${dataDir}/`}${toInfluxDB === undefined ? '' : `, and in ${toInfluxDB}`}. Ctrl-C stops.`,
  ].join('\n');
}
