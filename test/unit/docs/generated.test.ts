/** The files that `npm run generate` writes are committed as it writes them. */
import { existsSync, readFileSync } from 'node:fs';
import { phrasesOf } from '../../../reference/conditions';
import { generatedFiles } from '../../../reference/files';
import { permissionsPage } from '../../../reference/permissions';
import { readTemplate } from '../../../reference/template';

// Jest runs in the project's root, as npm does.
const files = generatedFiles();

test.each(Object.entries(files))('%s is up to date: npm run generate', (file, text) => {
  expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(text);
});

const TEMPLATE = `
Parameters: {}
Metadata: {}
Conditions:
  HasKey: !Not [!Equals [!Ref Key, ""]]
  Fast: !Equals [!Ref Mode, fast]
  Both: !And [!Condition HasKey, !Condition Fast]
  Either: !Or [!Condition HasKey, !Condition Fast]
Resources:
  Role:
    Type: AWS::IAM::Role
    Condition: HasKey
    Properties:
      ManagedPolicyArns: [!If [Fast, !Sub "arn:\${AWS::Partition}:iam::aws:policy/service-role/Managed", !Ref AWS::NoValue]]
      Policies:
        - PolicyDocument:
            Statement:
              - Action: [a:Read, !If [Fast, a:Tag, !Ref AWS::NoValue]]
                Resource: [!GetAtt Queue.Arn, !If [Both, !GetAtt Other.Arn, !Ref AWS::NoValue]]
              - Action: a:Write
                Resource: !Sub ["x/\${Part}", { Part: !If [Fast, !Ref Key, "*"] }]
  Beside:
    Type: AWS::IAM::Policy
    Condition: Fast
    Properties:
      Roles: [!Ref Role]
      PolicyDocument:
        Statement: [{ Action: b:Do, Resource: "*", Condition: { StringEquals: { b:Key: !Ref Key } } }]
`;
const template = readTemplate(TEMPLATE);

test('a permission names the parameters that it depends on, other than those of its role', () => {
  const rows = permissionsPage(template).split('### Role\n\n')[1]?.trimEnd().split('\n');
  expect(rows).toEqual([
    'Created with `Key`.',
    '',
    '| actions | resources | when |',
    '| --- | --- | --- |',
    '| `a:Read` | `<Queue>` | always |',
    '| `a:Read` | `<Other>` | with `Mode=fast` |',
    '| `a:Tag` | `<Queue>` | with `Mode=fast` |',
    '| `a:Tag` | `<Other>` | with `Mode=fast` |',
    '| `a:Write` | `x/<Key>` | with `Mode=fast` |',
    '| `a:Write` | `x/*` | unless `Mode=fast` |',
    '| the AWS managed policy `Managed` | `*` | with `Mode=fast` |',
    '| `b:Do` | `*` (`b:Key` `<Key>`) | with `Mode=fast` |',
  ]);
});

test.each([
  [['Both'], ['with `Key`', 'with `Mode=fast`']],
  [['!Both'], ['without `Key` or unless `Mode=fast`']],
  [['Either'], ['with `Key` or with `Mode=fast`']],
  [['!Either'], ['without `Key`', 'unless `Mode=fast`']],
  [
    ['HasKey', 'Both'],
    ['with `Key`', 'with `Mode=fast`'],
  ],
])('the conditions %p are %p', (when, phrases) => {
  expect(phrasesOf(template, when)).toEqual(phrases);
});
