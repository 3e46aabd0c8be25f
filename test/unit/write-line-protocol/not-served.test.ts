/** Responses to the paths of InfluxDB that are not served, without URLs, as a deployed function makes them. */
import { pathNotFound } from '../../../functions/write-line-protocol/not-served';

test.each([
  ['timestream', '/api/v2/query', /in Amazon Timestream\. Query them with SQL by the Timestream query API$/],
  ['influxdb', '/query', /in InfluxDB, so query InfluxDB itself$/],
  ['influxdb', '/api/v2/delete', /^deleting points is not served here: send the request to InfluxDB itself$/],
  ['influxdb', '/api/v2/buckets/1', /^path not found: \/api\/v2\/buckets is not served .* to InfluxDB itself$/],
  ['both', '/api/v2/query', /^queries .* in Amazon Timestream and in InfluxDB\. .*SQL.*, or query InfluxDB itself$/],
  ['both', '/api/v2/delete', /Timestream deletes .*; for InfluxDB, send the request to InfluxDB itself$/],
] as const)('%s %s', (destination, path, message) => {
  const error = pathNotFound(path, destination);
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/:\/\/|9001/);
});

test('speaks of Timestream only where points are stored there', () => {
  for (const path of ['/query', '/api/v2/delete', '/api/v2/orgs'])
    expect(pathNotFound(path, 'influxdb').message).not.toContain('Timestream');
});
