/** The classes of differences between InfluxDB and the endpoint with the destination `influxdb`: most of them are of its own grammar. */
import { DIFFERENCES, type Difference, hasStatuses, includes } from './differences';

/** The classes that do not depend on Timestream. */
const SHARED = [
  'valid and invalid lines in one request',
  'CRLF',
  'text outside the grammar',
  'requests that make InfluxDB fail',
  'an unknown Content-Encoding',
  'size limits of a request',
];

const path = ({ requests }: Parameters<typeof includes>[0]): string => requests[0]?.path ?? '';

export const DESTINATION_DIFFERENCES: readonly Difference[] = [
  ...DIFFERENCES.filter(({ name }) => SHARED.includes(name)),
  {
    name: 'the precisions u, m and h of v1',
    request: ({ influxdb, connector, given }) =>
      /precision=[umh]$/.test(path(given)) && hasStatuses(influxdb, 204) && hasStatuses(connector, 204),
  },
  {
    name: 'an unknown precision of v1',
    request: ({ influxdb, connector, given }) =>
      path(given).startsWith('/write') && hasStatuses(influxdb, 204) && hasStatuses(connector, 400),
  },
  {
    name: 'no valid line for a bucket that does not exist',
    request: ({ influxdb, connector, given }) =>
      given.requests[0]?.bucket === 'unknown' &&
      hasStatuses(influxdb, 404) &&
      (hasStatuses(connector, 400) || hasStatuses(connector, 204)) &&
      connector.values.length === 0,
  },
  {
    name: 'a byte order mark',
    request: ({ influxdb, connector, given, goodStored }) =>
      includes(given, '\ufeff') && hasStatuses(influxdb, 204) && hasStatuses(connector, 204) && goodStored === true,
  },
  {
    name: 'a comment that ends in a backslash',
    request: ({ influxdb, connector, given, goodStored }) =>
      includes(given, '\\\n') && hasStatuses(influxdb, 204) && hasStatuses(connector, 204) && goodStored === true,
  },
];
