/** What InfluxDB 2.7 serves beside writes and the connector does not: the paths, and what a client's user needs to know. */
import { ApiError } from './responses';

const QUERIES =
  'queries are not served here: the points are in Amazon Timestream, query them with SQL ' +
  '(the Timestream query API; with `npm start` on port 9001)';
const DELETES = 'deleting points is not served here: Timestream deletes them when the retention of their table ends';
const OTHERS =
  'is not served here: the connector takes writes (POST /api/v2/write) to any org and bucket, ' +
  'and stores them in one Timestream database';

/** Paths, and those below them. Source: the routes of `GET /api/v2` of InfluxDB 2.7.12, and its 1.x compatibility API. */
const PATHS: Readonly<Record<string, string>> = {
  '/query': QUERIES,
  '/api/v2/query': QUERIES,
  '/api/v2/delete': DELETES,
};

/** The 404 of a path that has no route. */
export function pathNotFound(path: string): ApiError {
  const known = Object.keys(PATHS).find((each) => path === each || path.startsWith(`${each}/`));
  if (known !== undefined) return new ApiError(404, 'not found', PATHS[known] ?? '');
  const [, resource] = /^\/api\/v2\/([a-zA-Z]{1,40})(?:\/|$)/.exec(path) ?? [];
  if (resource !== undefined && resource !== 'write') {
    return new ApiError(404, 'not found', `path not found: /api/v2/${resource} ${OTHERS}`);
  }
  return new ApiError(404, 'not found', 'path not found: writes go to POST /api/v2/write');
}
