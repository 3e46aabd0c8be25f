/** Where MiniStack 1.5.33 differs from AWS, and the tests that verify those properties instead. */

const TRANSLATED = 'test/acceptance/translated-template.acceptance.test.ts';
const API = 'test/unit/stack/api.test.ts';
const STATE_MACHINE = 'test/unit/stack/state-machine.test.ts';

export const GAPS: readonly { readonly what: string; readonly instead: readonly string[] }[] = [
  { what: 'refuses `AWS::WAFv2::WebACLAssociation`, so no combination has the web ACL', instead: [TRANSLATED] },
  {
    what: 'does not poll a queue with a maximum concurrency from a parameter: it reads the number as text',
    instead: [TRANSLATED],
  },
  { what: 'accepts `VpcConfig` and the reserved concurrency of functions, and ignores them', instead: [TRANSLATED] },
  {
    what: "ignores the API's endpoint type and resource policy: it accepts every signed request",
    instead: [TRANSLATED],
  },
  {
    what: 'ignores the methods that a path does not name (404 and 405 of the function)',
    instead: [TRANSLATED, API],
  },
  { what: "ignores the texts and headers of the API's own responses", instead: [TRANSLATED, API] },
  { what: 'does not throttle, and does not limit bodies before the function', instead: [API] },
  {
    what: 'drops `DeadLetterConfig` of functions and rules: these tests set it for the functions with the API of Lambda',
    instead: [TRANSLATED],
  },
  { what: 'does not run the schedule of the redrive: the tests invoke it', instead: [TRANSLATED] },
  {
    what: 'has plain HTTP only: the tests remove the policies of queues and bucket that refuse it',
    instead: [TRANSLATED],
  },
  {
    what: 'does not support the condition key `cloudwatch:namespace`: the tests remove it from the roles',
    instead: ['test/unit/stack/loader.test.ts', 'test/unit/metrics.test.ts'],
  },
  {
    what: 'does not evaluate alarms on metric queries, and emits no metrics of AWS services and no traces',
    instead: ['test/unit/stack/observability.test.ts', 'test/unit/tracing.test.ts'],
  },
  {
    what: 'does not extract metrics from logs and does not filter logs by level: test/tools/ministack extracts them',
    instead: ['test/unit/embedded-metrics.test.ts'],
  },
  {
    what: "does not enforce the state machines' own roles",
    instead: ['test/unit/stack/loader.test.ts', 'test/unit/stack/migration.test.ts'],
  },
  {
    what: 'ignores `JitterStrategy`, `MaxDelaySeconds` and the timeout of an execution',
    instead: [STATE_MACHINE],
  },
  {
    what: 'has no Timestream: permissions and discovered endpoints of its calls are not tested; key and tags are tested only as variables',
    instead: [
      'test/unit/stack/functions.test.ts',
      'test/unit/stack/migration.test.ts',
      'test/contract/connector/signing.contract.test.ts',
    ],
  },
  {
    what: 'runs functions with the Node.js of this machine, without a memory limit, and never freezes them',
    instead: ['test/artifact/write-line-protocol.test.ts', 'test/artifact/loader.test.ts'],
  },
];
