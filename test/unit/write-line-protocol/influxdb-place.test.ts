/** The organization and bucket of InfluxDB by the names in a request, and the settings for them. */

import { loadConnectorConfig } from 'shared/config';
import { ConfigurationError } from 'shared/errors';
import { TIMESTREAM_LIMITS } from 'shared/timestream/refusal';
import type { ApiError } from '../../../functions/write-line-protocol/api-error';
import { placeOf } from '../../../functions/write-line-protocol/influxdb-place';

const ENVIRONMENT = {
  destination: 'influxdb',
  INFLUXDB_URL: 'http://influxdb:8086',
  INFLUXDB_ORG: 'plant',
  INFLUXDB_BUCKET: 'metrics',
  INFLUXDB_TOKEN: 'token',
};
const configOf = (changes: Readonly<Record<string, string>> = {}) =>
  loadConnectorConfig({ ...ENVIRONMENT, ...changes });

/** The place for the query of a request, as `org/bucket`, or the status and text of the error. */
function place(settings: Readonly<Record<string, string>>, query: string, path = '/api/v2/write'): string {
  const { influxdb } = configOf(settings);
  if (influxdb === undefined) throw new Error('no InfluxDB');
  try {
    const { org, bucket } = placeOf({ path, query: new Map(new URLSearchParams(query)) }, influxdb);
    return `${org} | ${bucket}`;
  } catch (error) {
    const { status, message } = error as ApiError;
    return `${status} ${message}`;
  }
}

const PASS = { bucket_mapping: 'passthrough', org_mapping: 'passthrough' };
const LIST = { bucket_mapping: 'a=b, c d=e/f', org_mapping: 'o=p' };
const MIXED = { bucket_mapping: 'a=b' };

test.each([
  ['configured names', {}, 'org=x&bucket=y', 'plant | metrics'],
  ['configured names without any in the request', {}, '', 'plant | metrics'],
  ['names of the request', PASS, 'org=x&bucket=y', 'x | y'],
  ['the id of an organization', PASS, 'orgID=0123456789abcdef&bucket=y', '0123456789abcdef | y'],
  ['an empty organization with an id', PASS, 'org=&orgID=1&bucket=y', '1 | y'],
  ['org before orgID', PASS, 'org=x&orgID=1&bucket=y', 'x | y'],
  ['names of any characters', PASS, 'org=%C3%BC%26&bucket=a%2Fb%3Dc', 'ü& | a/b=c'],
  ['no organization', PASS, 'bucket=y', '400 Please provide either orgID or org'],
  ['an empty organization', PASS, 'org=&bucket=y', '400 Please provide either orgID or org'],
  ['no bucket', PASS, 'org=x', '404 bucket not found'],
  ['listed names', LIST, 'org=o&bucket=a', 'p | b'],
  ['a listed name with a space', LIST, 'org=o&bucket=c+d', 'p | e/f'],
  ['a bucket that is not listed', LIST, 'org=o&bucket=b', '404 bucket "b" not found'],
  ['an organization that is not listed', LIST, 'org=x&bucket=a', '404 organization name "x" not found'],
  ['a name of the language', LIST, 'org=o&bucket=__proto__', '404 bucket "__proto__" not found'],
  ['a listed bucket and the configured organization', MIXED, 'org=x&bucket=a', 'plant | b'],
])('/api/v2/write: %s', (_, settings, query, expected) => {
  expect(place(settings, query)).toBe(expected);
});

test.each([
  ['configured names', {}, 'db=d&rp=r', 'plant | metrics'],
  ['a database', PASS, 'db=d', 'plant | d'],
  ['a database with an empty retention policy', PASS, 'db=d&rp=', 'plant | d'],
  ['the default retention policy', PASS, 'db=d&rp=autogen', 'plant | d'],
  ['a database and a retention policy', PASS, 'db=d&rp=r', 'plant | d/r'],
  ['no database', PASS, 'rp=r', '400 missing db'],
  ['a listed database', LIST, 'db=a', 'plant | b'],
  ['a listed database with a retention policy', { bucket_mapping: 'd/r=b' }, 'db=d&rp=r', 'plant | b'],
  ['a database that is not listed', LIST, 'db=x&rp=y', '404 no dbrp mapping found: BucketMapping does not list "x/y"'],
])('/write: %s', (_, settings, query, expected) => {
  expect(place(settings, query, '/write')).toBe(expected);
});

describe('the settings', () => {
  const problems = (changes: Readonly<Record<string, string>>): readonly string[] => {
    try {
      configOf(changes);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
    return [];
  };

  test.each([
    [{ destination: 'none' }, ["destination must be one of timestream, both, influxdb, not 'none'"]],
    [{ INFLUXDB_URL: '' }, ['INFLUXDB_URL is empty: give it a value or leave it unset']],
    [{ INFLUXDB_URL: 'host' }, ["INFLUXDB_URL must be a URL with http or https, and its port, not 'host'"]],
    [{ INFLUXDB_URL: 'http://u:p@host' }, ['INFLUXDB_URL must not contain credentials: set INFLUXDB_TOKEN']],
    [
      { INFLUXDB_TOKEN: '' },
      [
        'INFLUXDB_TOKEN is empty: give it a value or leave it unset',
        'INFLUXDB_TOKEN or INFLUXDB_TOKEN_SECRET_NAME must be set (exactly one of them)',
      ],
    ],
    [
      { INFLUXDB_TOKEN_SECRET_NAME: 's' },
      ['INFLUXDB_TOKEN or INFLUXDB_TOKEN_SECRET_NAME must be set (exactly one of them)'],
    ],
    [{ INFLUXDB_ENGINE: 'v1' }, ["INFLUXDB_ENGINE must be one of v2, v3, not 'v1'"]],
    [{ bucket_mapping: 'a' }, ["bucket_mapping must be configured, passthrough or from=to,from=to, not 'a'"]],
    [{ bucket_mapping: 'a=b,' }, ["bucket_mapping must be configured, passthrough or from=to,from=to, not 'a=b,'"]],
    [{ org_mapping: 'a=b=c' }, ["org_mapping must be configured, passthrough or from=to,from=to, not 'a=b=c'"]],
    [{ bucket_mapping: 'a=b,a=c' }, ["bucket_mapping names 'a' twice: keep one of them"]],
    [
      { destination: 'both', influxdb_only_lines: 'tags' },
      [`influxdb_only_lines must be none, all, or some of ${TIMESTREAM_LIMITS.join(', ')}, not 'tags'`],
    ],
    [
      { secondary_required: 'false', dead_letter_queue_url: 'https://sqs.us-east-1.amazonaws.com/1/q' },
      ['secondary_required is false, but only destination=both has a second destination'],
    ],
  ])('%j is refused; the message names the variable and what to do', (changes, expected) => {
    expect(problems(changes)).toEqual(expected);
  });

  test('of InfluxDB do not matter while points are stored in Timestream only', () => {
    const wrong = { destination: 'timestream', INFLUXDB_URL: 'no url', INFLUXDB_ENGINE: 'v1', bucket_mapping: 'a' };
    expect(configOf(wrong)).toMatchObject({ destination: 'timestream', influxdb: undefined });
  });

  test.each([
    ['none', []],
    ['all', TIMESTREAM_LIMITS],
    ['no-tags, names', ['no-tags', 'names']],
  ])('influxdb_only_lines=%s', (influxdb_only_lines, expected) => {
    expect([...configOf({ destination: 'both', influxdb_only_lines }).influxdbOnly]).toEqual(expected);
  });
});
