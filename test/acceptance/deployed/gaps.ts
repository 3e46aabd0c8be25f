/** Where MiniStack 1.5.33 is no AWS: what a stack deployed to it does not show, and the tests that hold it instead. */

const TRANSLATED = 'test/acceptance/translated-template.acceptance.test.ts';
const API = 'test/unit/stack/api.test.ts';
const STATE_MACHINE = 'test/unit/stack/state-machine.test.ts';

export const GAPS: readonly { readonly what: string; readonly instead: readonly string[] }[] = [
  { what: 'refuses `AWS::WAFv2::WebACLAssociation`: no combination has the web ACL', instead: [TRANSLATED] },
  {
    what: 'polls no queue whose maximum concurrency comes from a parameter: it takes it for a text',
    instead: [TRANSLATED],
  },
  { what: 'takes `VpcConfig` and the reserved concurrency of functions, and leaves them out', instead: [TRANSLATED] },
  { what: "leaves the API's endpoint type and resource policy out: whoever signs gets in", instead: [TRANSLATED] },
  {
    what: 'leaves the methods out that a path does not name (404 and 405 of the function)',
    instead: [TRANSLATED, API],
  },
  { what: "passes over the texts and headers of the API's own answers", instead: [TRANSLATED, API] },
  { what: 'throttles nothing and bounds no body before the function', instead: [API] },
  {
    what: 'drops `DeadLetterConfig` of functions and rules: these tests set that of the functions by the API of Lambda',
    instead: [TRANSLATED],
  },
  { what: 'waits for no schedule of the redrive: it is called by hand', instead: [TRANSLATED] },
  {
    what: 'speaks plain HTTP: the policies of queues and bucket that refuse it are taken away after deploying',
    instead: [TRANSLATED],
  },
  {
    what: 'does not know the condition key `cloudwatch:namespace`: it is taken out of the roles after deploying',
    instead: ['test/unit/stack/loader.test.ts', 'test/unit/metrics.test.ts'],
  },
  {
    what: "does not hold the state machine's own role against what it does",
    instead: ['test/unit/stack/loader.test.ts'],
  },
  {
    what: 'ignores `JitterStrategy` and `MaxDelaySeconds`, and ends no execution by its timeout',
    instead: [STATE_MACHINE],
  },
  {
    what: 'has no Timestream: permissions and discovered endpoints of its calls are unproved, its key and tags are variables alone',
    instead: ['test/unit/stack/functions.test.ts', 'test/contract/connector/signing.contract.test.ts'],
  },
  {
    what: 'runs functions by the Node.js of this machine, without a limit of memory, and freezes none',
    instead: ['test/artifact/write-line-protocol.test.ts', 'test/artifact/loader.test.ts'],
  },
];
