/** Texts that tell a client why InfluxDB does not store its points, and what to do. They repeat no text of InfluxDB or of the network. */
import type { InfluxDBDestination } from 'shared/destination-config';
import type { WriteOutcome } from 'shared/influxdb/outcome';
import type { WriteFailure } from 'shared/influxdb/request-writer';
import { namesOf } from './influxdb-place';
import type { HttpRequest } from './request';

type Refusal = Pick<WriteFailure, 'status' | 'missing'>;

/** To follow `N points could not be stored`. */
export function adviceOf(
  failure: WriteFailure,
  request: Pick<HttpRequest, 'path' | 'query'>,
  config: Pick<InfluxDBDestination, 'buckets' | 'orgs'>,
): string {
  const { kind } = failure;
  if (kind === 'refused') {
    const cause = missingTarget(failure, request, config) ?? refusalCause(failure);
    return `: ${cause}. Fix this, then send the request again`;
  }
  const why = { throttled: '', error: ' (InfluxDB returned an error)', unavailable: ' (InfluxDB is not available)' };
  return ` in time${why[kind]}: send the request again`;
}

/** Why a check finds that InfluxDB cannot be written to. */
export function unwritableCause(outcome: Exclude<WriteOutcome, { kind: 'written' }>): string {
  if (outcome.kind === 'retryable') return RETRYABLE[outcome.cause];
  return refusalCause(outcome.kind === 'fatal' ? outcome : {});
}

const RETRYABLE = {
  throttled: 'InfluxDB throttles writes',
  error: 'InfluxDB returned an error',
  unavailable: 'InfluxDB cannot be reached',
};

/** What somebody must fix before InfluxDB accepts a write. */
const refusalCause = ({ status }: Refusal): string => (status !== undefined && REFUSALS[status]) || UNUSABLE;

/** The cause where a mapping gives a name that InfluxDB does not have: the client knows only the name that it sent. */
function missingTarget(
  { missing }: Refusal,
  request: Pick<HttpRequest, 'path' | 'query'>,
  { buckets, orgs }: Pick<InfluxDBDestination, 'buckets' | 'orgs'>,
): string | undefined {
  if (missing === undefined || { org: orgs, bucket: buckets }[missing].kind !== 'listed') return undefined;
  const [what, mapping] = MAPPINGS[missing];
  return `InfluxDB does not have the ${what} that ${mapping} gives for "${namesOf(request)[missing]}": create it, or correct the mapping`;
}

const MAPPINGS = {
  org: ['organization', 'OrgMapping (--org-mapping)'],
  bucket: ['bucket', 'BucketMapping (--bucket-mapping)'],
} as const;

const REFUSALS: Readonly<Record<number, string>> = {
  401: "InfluxDB does not accept the connector's token: check InfluxDBTokenSecretName (--influxdb-token)",
  403: "the connector's token may not write to the bucket: check its permissions",
  404: 'InfluxDB has no such organization or bucket: create it, or correct InfluxDBOrg (--influxdb-org) and InfluxDBBucket (--influxdb-bucket)',
};
export const UNUSABLE =
  'InfluxDB cannot be used: check InfluxDBUrl (--influxdb-url), its certificate and the token, and see the log of the connector';
