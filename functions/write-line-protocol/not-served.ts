/** The paths of InfluxDB 2.7 that the connector does not serve, and what their users need to know. */
import type { DestinationConfig } from 'shared/destination-config';
import { ApiError } from './api-error';

/** Where clients reach the destinations. The local server knows them; a deployed function does not disclose its URLs. */
export interface DestinationUrls {
  readonly timestream?: string | undefined;
  readonly influxdb?: string | undefined;
}

type Destination = DestinationConfig['destination'];

/** What the requests of a path, and of the paths below it, are. Source: `GET /api/v2` of InfluxDB 2.7.12, and its 1.x compatibility API. */
const KINDS: Readonly<Record<string, 'query' | 'delete'>> = {
  '/query': 'query',
  '/api/v2/query': 'query',
  '/api/v2/delete': 'delete',
};

/** The 404 response for a path without a route. */
export function pathNotFound(path: string, destination: Destination, urls: DestinationUrls = {}): ApiError {
  const known = Object.keys(KINDS).find((each) => path === each || path.startsWith(`${each}/`));
  if (known !== undefined) return notFound(MESSAGES[KINDS[known] ?? 'query'](destination, urls));
  const [, resource] = /^\/api\/v2\/([a-zA-Z]{1,40})(?:\/|$)/.exec(path) ?? [];
  if (resource !== undefined && resource !== 'write') {
    return notFound(`path not found: /api/v2/${resource} is not served here: ${ofOthers(destination, urls)}`);
  }
  return notFound('path not found: send writes to POST /api/v2/write');
}

const notFound = (message: string): ApiError => new ApiError(404, 'not found', message);

const at = (url: string | undefined): string => (url === undefined ? '' : ` at ${url}`);

const MESSAGES: Readonly<Record<'query' | 'delete', (destination: Destination, urls: DestinationUrls) => string>> = {
  query: (destination, { timestream, influxdb }) => {
    const asInfluxdb = `query InfluxDB itself${at(influxdb)}`;
    const bySql = `with SQL by the Timestream query API${at(timestream)}`;
    const where = {
      timestream: `the points are in Amazon Timestream. Query them ${bySql}`,
      both: `the points are in Amazon Timestream and in InfluxDB. Query Timestream ${bySql}, or ${asInfluxdb}`,
      influxdb: `the points are in InfluxDB, so ${asInfluxdb}`,
    };
    return `queries are not served here: ${where[destination]}`;
  },
  delete: (destination, { influxdb }) => {
    const ofTimestream = 'Timestream deletes points when the retention period of their table ends';
    const ofInfluxdb = `send the request to InfluxDB itself${at(influxdb)}`;
    const how = {
      timestream: ofTimestream,
      both: `${ofTimestream}; for InfluxDB, ${ofInfluxdb}`,
      influxdb: ofInfluxdb,
    };
    return `deleting points is not served here: ${how[destination]}`;
  },
};

function ofOthers(destination: Destination, { influxdb }: DestinationUrls): string {
  const writes = 'the connector only accepts writes (POST /api/v2/write)';
  const ofTimestream = 'They may name any org and bucket; all points are stored in one Timestream database';
  const ofInfluxdb = `Send other requests to InfluxDB itself${at(influxdb)}`;
  if (destination === 'timestream') return `${writes}. ${ofTimestream}`;
  return `${writes}. ${ofInfluxdb}`;
}
