/** docs/iam/query.json allows the statements of the command line. */
import { SHORT_FORMS, sqlOf } from '../../../local/query/statement';
import { allows, readPolicy } from './policy';

const DATABASE = 'influxdb-line-protocol';
const DATABASE_ARN = `arn:aws:timestream:us-east-1:123456789012:database/${DATABASE}`;
const TABLE_ARN = `${DATABASE_ARN}/table/weather`;
const FROM = `"${DATABASE}"."weather"`;

/** Source: "Actions, resources, and condition keys for Amazon Timestream" in the service authorization reference. */
const CALLS: readonly (readonly [RegExp, string, string])[] = [
  [/^SHOW DATABASES$/, 'timestream:ListDatabases', '*'],
  [/^SHOW TABLES FROM "influxdb-line-protocol"$/, 'timestream:ListTables', DATABASE_ARN],
  [/^SHOW MEASURES FROM /, 'timestream:ListMeasures', TABLE_ARN],
  [/^DESCRIBE /, 'timestream:DescribeTable', TABLE_ARN],
  [/^SELECT .* FROM /, 'timestream:Select', TABLE_ARN],
  [/^SELECT [^"]*$/, 'timestream:SelectValues', '*'],
];

const policy = readPolicy('query');
const shortForms = SHORT_FORMS.match(/^\.\w+/gm)?.filter((form) => !['.help', '.quit'].includes(form)) ?? [];

test('every client may look up the endpoint', () => {
  expect(allows(policy, 'timestream:DescribeEndpoints', '*')).toBe(true);
});

test.each([
  ...shortForms.map((form) => (form === '.schema' ? '.schema weather' : form)),
  'SHOW TABLES',
  'DESCRIBE weather',
  `SHOW MEASURES FROM ${FROM}`,
  `SELECT count(*) FROM ${FROM}`,
  'SELECT 1',
])('%s', (statement) => {
  const sql = sqlOf(statement, DATABASE) ?? '';
  const needed = CALLS.filter(([pattern]) => pattern.test(sql)).map(([, action, resource]) => [action, resource]);
  expect(needed).toHaveLength(1);
  expect(needed.filter(([action = '', resource = '']) => !allows(policy, action, resource))).toEqual([]);
});
