/** The paths of InfluxDB 2.7 that the connector does not serve, and what their users need to know. */
import { ApiError } from './api-error';

const QUERIES =
  'queries are not served here: the points are in Amazon Timestream. Query them with SQL ' +
  '(by the Timestream query API; for `npm start` it is on port 9001)';
const DELETES =
  'deleting points is not served here: Timestream deletes points when the retention period of their table ends';
const OTHERS =
  'is not served here: the connector only accepts writes (POST /api/v2/write). They may name any org and bucket; ' +
  'all points are stored in one Timestream database';

/** Each entry includes the paths below it. Source: `GET /api/v2` of InfluxDB 2.7.12, and its 1.x compatibility API. */
const PATHS: Readonly<Record<string, string>> = {
  '/query': QUERIES,
  '/api/v2/query': QUERIES,
  '/api/v2/delete': DELETES,
};

/** The 404 response for a path without a route. */
export function pathNotFound(path: string): ApiError {
  const known = Object.keys(PATHS).find((each) => path === each || path.startsWith(`${each}/`));
  if (known !== undefined) return new ApiError(404, 'not found', PATHS[known] ?? '');
  const [, resource] = /^\/api\/v2\/([a-zA-Z]{1,40})(?:\/|$)/.exec(path) ?? [];
  if (resource !== undefined && resource !== 'write') {
    return new ApiError(404, 'not found', `path not found: /api/v2/${resource} ${OTHERS}`);
  }
  return new ApiError(404, 'not found', 'path not found: send writes to POST /api/v2/write');
}
