/** EnableTracing: everything is traced, or nothing. */
import { at, byType, LOADER, MIGRATION, type Overrides, resourcesWith, TOKENS } from './template';

const EVERYTHING = { ...MIGRATION, ...TOKENS };

const functions = (parameters: Overrides) => byType(resourcesWith(parameters), 'AWS::Serverless::Function');
const stateMachines = (parameters: Overrides) => byType(resourcesWith(parameters), 'AWS::Serverless::StateMachine');
const variable = (parameters: Overrides) =>
  functions(parameters).map(([, { Properties }]) => at(Properties, 'Environment', 'Variables', 'ENABLE_TRACING'));
/** Roles of functions and state machines. */
const roles = (parameters: Overrides): string[] =>
  [...functions(parameters), ...stateMachines(parameters)]
    .map(([, { Properties }]) => String(Properties.Role).replace(/^<(\w+)\.Arn>$/, '$1'))
    .sort();

test('is off by default, for the API, the functions and the workflows', () => {
  const resources = resourcesWith(EVERYTHING);
  expect(resources.ConnectorApi?.Properties.TracingEnabled).toBe(false);
  expect(new Set(functions(EVERYTHING).map(([, { Properties }]) => Properties.Tracing))).toEqual(
    new Set(['PassThrough']),
  );
  expect(new Set(variable(EVERYTHING))).toEqual(new Set([undefined]));
  expect(stateMachines(EVERYTHING).map(([, { Properties }]) => Properties.Tracing)).toEqual([
    { Enabled: false },
    { Enabled: false },
  ]);
  expect(JSON.stringify(resources)).not.toMatch(/xray/i);
});

test.each([{}, LOADER, EVERYTHING])(
  'with EnableTracing=true everything is traced, and may send traces: %p',
  (given) => {
    const parameters = { ...given, EnableTracing: 'true' };
    expect(resourcesWith(parameters).ConnectorApi?.Properties.TracingEnabled).toBe(true);
    expect(new Set(functions(parameters).map(([, { Properties }]) => Properties.Tracing))).toEqual(new Set(['Active']));
    expect(new Set(variable(parameters))).toEqual(new Set(['true']));
    for (const [, { Properties }] of stateMachines(parameters)) expect(Properties.Tracing).toEqual({ Enabled: true });
    // In the role itself: Lambda refuses to trace a function whose role may not send traces yet, and a policy of its own may come later.
    for (const role of roles(parameters)) {
      expect(resourcesWith(parameters)[role]?.Properties.ManagedPolicyArns).toContainEqual(
        expect.stringMatching(/:iam::aws:policy\/AWSXrayWriteOnlyAccess$/),
      );
    }
  },
);
