/** The evaluator that the tests of the template rest on: each function's results are those of CloudFormation's reference. */
import { type Fields, readTemplate } from '../../../reference/template';
import { Evaluation } from './cloudformation';

const TEMPLATE = `
Globals:
  Function:
    Runtime: nodejs24.x
    Timeout: 60
    Layers: [!Ref Queue]
    LoggingConfig: { LogFormat: JSON, ApplicationLogLevel: !Ref Level }
Parameters:
  Name: { Type: String, Default: plain }
  Level: { Type: String, Default: INFO }
  Count: { Type: Number, Default: 3 }
Conditions:
  Named: !Not [!Equals [!Ref Name, plain]]
  Three: !Equals [!Ref Count, 3]
  Both: !And [!Condition Named, !Condition Three]
  Either: !Or [!Condition Named, !Equals [!Ref Level, DEBUG]]
Rules:
  Louder:
    RuleCondition: !Equals [!Ref Name, loud]
    Assertions:
      - { Assert: !Equals [!Ref Level, DEBUG], AssertDescription: loud needs DEBUG. }
      - { Assert: !Not [!Equals [!Ref Count, "0"]], AssertDescription: loud needs Count. }
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: {} }
  Extra: { Type: AWS::SQS::Queue, Condition: Named, Properties: { QueueName: !Ref Name } }
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      Layers: [own]
      LoggingConfig: { LogGroup: group }
Outputs:
  Always: { Value: !GetAtt Queue.Arn }
  Sometimes: { Condition: Named, Value: !Ref Extra }
`;
const template = readTemplate(TEMPLATE);
const evaluated = (yaml: string, overrides = {}) => {
  const { Resources } = readTemplate(`Resources: { R: { Type: T, Properties: { value: ${yaml} } } }`);
  const all = { ...template, Resources: { ...template.Resources, ...Resources } };
  return new Evaluation(all, overrides).resources().R?.Properties as Fields;
};

test.each([
  ['!Ref Name', 'plain'],
  ['!Ref Queue', '<Queue>'],
  ['!Ref AWS::Region', '<AWS::Region>'],
  ['!GetAtt Queue.Arn', '<Queue.Arn>'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
  ['!Sub "${Name}-${Queue}-${Queue.Arn}-${AWS::Partition}"', 'plain-<Queue>-<Queue.Arn>-<AWS::Partition>'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
  ['!Sub ["${A}/${Name}", { A: !Ref Level }]', 'INFO/plain'],
  ['!If [Named, 1, [2, !Ref Level]]', [2, 'INFO']],
  ['!Join ["-", [a, !Ref Name]]', 'a-plain'],
  ['!Split [",", "a,b"]', ['a', 'b']],
  ['!Select [1, !Split [",", "a,b"]]', 'b'],
  ['[!Ref AWS::NoValue, a, !If [Named, b, !Ref AWS::NoValue]]', ['a']],
  ['{ Condition: { StringEquals: { a: !Ref Name } } }', { Condition: { StringEquals: { a: 'plain' } } }],
])('%s', (yaml, expected) => {
  expect(evaluated(yaml)).toEqual({ value: expected });
});

test('a field without a value is left out', () => {
  expect(evaluated('!If [Named, 1, !Ref AWS::NoValue]')).toEqual({});
  expect(evaluated('!If [Named, 1, !Ref AWS::NoValue]', { Name: 'other' })).toEqual({ value: 1 });
});

test.each([
  ['a resource that a condition leaves out', '!Ref Extra', 'Extra, which is not there'],
  ['an attribute of it', '!GetAtt Extra.Arn', 'Extra, which is not there'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own
  ['a name that is nothing', '!Sub "${Nam}"', 'Nam, which is not there'],
  ['a condition that is none', '!If [Nam, 1, 2]', 'no condition Nam'],
  ['an unknown function', '{ "Fn::Length": [1] }', 'Fn::Length is not known'],
])('%s is an error', (_case, yaml, message) => {
  expect(() => evaluated(yaml)).toThrow(message);
});

test('so is a parameter that the template does not have', () => {
  expect(() => new Evaluation(template, { Nam: 'x' })).toThrow('no parameter Nam');
});

test.each([
  [{}, [false, true, false, false]],
  [{ Name: 'other' }, [true, true, true, true]],
  [{ Level: 'DEBUG', Count: '4' }, [false, false, false, true]],
])('conditions with %j', (overrides, expected) => {
  const values = ['Named', 'Three', 'Both', 'Either'].map((name) => evaluated(`!If [${name}, true, false]`, overrides));
  expect(values.map(({ value }) => value)).toEqual(expected);
});

test('resources and outputs are those whose condition holds', () => {
  expect(Object.keys(new Evaluation(template).resources())).toEqual(['Queue', 'Function']);
  expect(new Evaluation(template).outputs()).toEqual({ Always: '<Queue.Arn>' });
  const named = new Evaluation(template, { Name: 'other' });
  expect(named.resources().Extra?.Properties).toEqual({ QueueName: 'other' });
  expect(named.outputs()).toEqual({ Always: '<Queue.Arn>', Sometimes: '<Extra>' });
});

test('rules say every assertion that does not hold, where they apply', () => {
  expect(new Evaluation(template, { Level: 'WARN', Count: '0' }).brokenRules()).toEqual([]);
  expect(new Evaluation(template, { Name: 'loud', Level: 'DEBUG' }).brokenRules()).toEqual([]);
  expect(new Evaluation(template, { Name: 'loud', Count: '0' }).brokenRules()).toEqual([
    'loud needs DEBUG.',
    'loud needs Count.',
  ]);
});

test('functions have what Globals say, unless they say otherwise; lists add up', () => {
  expect(new Evaluation(template).resources().Function?.Properties).toEqual({
    Runtime: 'nodejs24.x',
    Timeout: 5,
    Layers: ['<Queue>', 'own'],
    LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', LogGroup: 'group' },
  });
});

test('aliases are refused', () => {
  expect(() => readTemplate('Resources: { A: &a { Type: T }, B: *a }')).toThrow('Alias');
});
