/** `npm run redrive` as a program, over HTTP. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AwsDoubles } from '../../support/aws-doubles';
import { STARTING_MS } from '../../support/influxd';

const ROOT = resolve(__dirname, '../../..');
const sample = (name: string) => JSON.parse(readFileSync(join(ROOT, 'events', `${name}.json`), 'utf8')) as object;

describe('the redrive command', () => {
  let aws: AwsDoubles;
  const written: unknown[] = [];

  beforeAll(async () => {
    execFileSync(process.execPath, ['scripts/bundle-cli.mjs'], { cwd: ROOT });
    aws = await AwsDoubles.start({ writer: (event) => Promise.resolve(written.push(event)) });
  }, STARTING_MS);
  afterAll(() => aws.stop());

  const key = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
  const run = (...argv: string[]) => runWith({ AWS_REGION: 'us-east-1', ...key }, ...argv);
  const runWith = (settings: object, ...argv: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((done) => {
      const args = [join(ROOT, 'bin/influxdb-timestream.mjs'), 'redrive', ...argv];
      const env = { PATH: process.env.PATH, AWS_ENDPOINT_URL: aws.url, AWS_EC2_METADATA_DISABLED: 'true', ...settings };
      execFile(process.execPath, args, { env }, (error, out, err) =>
        done({ code: Number(error?.code ?? 0), out, err }),
      );
    });
  const queue = () => ['--queue', aws.queueUrl('dead-letters')];
  const all = () => [...queue(), '--parking', aws.queueUrl('parking'), '--write-function', 'writer', '--rate', '100'];

  test(
    'counts in a dry run, replays, and ends with 1 where a message was parked',
    async () => {
      aws.put('dead-letters', sample('write-line-protocol-asynchronous'));
      const dry = await run(...queue(), '--dry-run');
      expect([dry.code, JSON.parse(dry.out)]).toMatchObject([0, { messages: 1, kinds: { write: 1 } }]);
      expect(written).toEqual([]);

      const replayed = await run(...all());
      expect([replayed.code, JSON.parse(replayed.out)]).toMatchObject([0, { replayed: 1, ended: 'empty' }]);
      expect(written).toEqual([sample('write-line-protocol-asynchronous')]);

      aws.put('dead-letters', sample('dead-letter-rejected-lines'));
      const parked = await run(...all());
      expect([parked.code, JSON.parse(parked.out)]).toMatchObject([1, { parked: 1 }]);
      expect(parked.err).toContain('a message was parked: 2 rejected lines');
    },
    STARTING_MS,
  );

  test(
    'takes the region from the URL of the queue, and reports missing credentials or a missing region',
    async () => {
      const address = 'https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letters';
      expect(await runWith({}, '--queue', address, '--dry-run')).toMatchObject({
        code: 2,
        err: expect.stringMatching(
          /^invalid configuration:\n {2}- no AWS credentials were found: set AWS_PROFILE, .*\n$/m,
        ),
      });
      expect(await runWith(key, ...queue(), '--dry-run')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^invalid configuration:\n {2}- no AWS region is set: set AWS_REGION .*\n$/m),
      });
    },
    STARTING_MS,
  );

  test(
    'finds the queues by name, and by the outputs of a stack',
    async () => {
      aws.put('dead-letters', sample('write-line-protocol-asynchronous'));
      const byName = await run('--queue', 'dead-letters', '--dry-run');
      expect([byName.code, JSON.parse(byName.out)]).toMatchObject([0, { messages: 1 }]);

      aws.stacks.set('Mine', {
        outputs: { LambdaDeadLetterQueueName: 'dead-letters', ParkingQueueName: 'parking' },
        parameters: { LambdaName: 'writer' },
      });
      const replayed = await run('--stack', 'Mine', '--rate', '100');
      expect([replayed.code, JSON.parse(replayed.out)]).toMatchObject([0, { replayed: 1 }]);

      expect(await run('--stack', 'Other')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^--stack Other: Stack with id Other does not exist/),
      });
    },
    STARTING_MS,
  );

  test(
    'leaves the messages of the loader in the queue where no option names it',
    async () => {
      aws.put('dead-letters', sample('dead-letter-load'));
      const { code, out, err } = await run(...all());
      expect([code, JSON.parse(out)]).toMatchObject([1, { left: 1, parked: 0, putBack: 0 }]);
      expect(err).toContain('--stack or --state-machine is not set');
      expect(aws.messages('dead-letters')).toHaveLength(1);
      aws.queues.set(aws.queueUrl('dead-letters'), []);
    },
    STARTING_MS,
  );

  test(
    'counts the messages of the parking queue as a run would replay them',
    async () => {
      const failed = sample('dead-letter-load') as { detail: { stateMachineArn: string } };
      aws.put('parking', { ...failed, detail: { ...failed.detail, error: 'DataConversionError' } });
      const workflow = ['--state-machine', failed.detail.stateMachineArn, '--work-bucket', 'work'];
      const parking = aws.queueUrl('parking');
      const dry = await run('--queue', parking, '--parking', parking, ...workflow, '--dry-run');
      expect([dry.code, JSON.parse(dry.out)]).toMatchObject([0, { kinds: { load: 1 } }]);
    },
    STARTING_MS,
  );

  test(
    'reports wrong arguments, and ends with 2',
    async () => {
      expect(await run(...queue())).toMatchObject({ code: 2, err: expect.stringContaining('--parking is missing') });
      expect(await run('--dry-run')).toMatchObject({ code: 2, err: expect.stringContaining('--queue is missing') });
      expect(await run('--queue', 'nope', '--dry-run')).toMatchObject({
        code: 2,
        err: 'the queue nope does not exist in this account and region\n',
      });
      expect(await run(...all(), '--rate', 'x')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/--rate must be/),
      });
      expect(await run('--que', 'x')).toMatchObject({
        code: 2,
        err: expect.stringContaining("unknown option '--que'"),
      });
      expect(await run('--help')).toMatchObject({
        code: 0,
        out: expect.stringContaining('Usage: influxdb-timestream redrive'),
      });
    },
    STARTING_MS,
  );
});
