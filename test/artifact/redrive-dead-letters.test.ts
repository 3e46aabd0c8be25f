/** The redrive, built by `sam build`, outside of the repository: it receives messages from a queue and invokes the write function. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AwsDoubles } from '../support/aws-doubles';
import { LambdaRuntime } from '../support/lambda-runtime';

const ROOT = path.resolve(__dirname, '../..');
const BUILD = path.join(ROOT, '.aws-sam/build');
const readEvent = (name: string) => JSON.parse(readFileSync(path.join(ROOT, 'events', `${name}.json`), 'utf8'));

if (existsSync(path.join(BUILD, 'RedriveDeadLettersFunction'))) {
  let folder: string;
  let aws: AwsDoubles;
  let runtime: LambdaRuntime;
  const written: unknown[] = [];

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lambda-'));
    cpSync(path.join(BUILD, 'RedriveDeadLettersFunction'), path.join(folder, 'task'), { recursive: true });
    cpSync(path.join(BUILD, 'SharedLayer'), path.join(folder, 'opt'), { recursive: true });
    written.length = 0;
    aws = await AwsDoubles.start({ writer: (event) => Promise.resolve(written.push(event)) });
    const environment = {
      AWS_ENDPOINT_URL: aws.url,
      DEAD_LETTER_QUEUE_URL: aws.queueUrl('dead-letters'),
      PARKING_QUEUE_URL: aws.queueUrl('parking'),
      WRITE_FUNCTION_NAME: 'writer',
      MESSAGES_PER_SECOND: '100',
    };
    runtime = await LambdaRuntime.start({ folder, handler: 'handler.handler', environment });
  });
  afterEach(async () => {
    await runtime.stop();
    await aws.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the sample event replays a write, and parks a message that cannot be replayed', async () => {
    const message = readEvent('write-line-protocol-asynchronous');
    aws.put('dead-letters', message);
    aws.put('dead-letters', readEvent('dead-letter-rejected-lines'));
    expect(await runtime.invoke(readEvent('redrive-dead-letters'))).toMatchObject({
      result: { messages: 2, replayed: 1, parked: 1, ended: 'empty' },
    });
    expect(written).toEqual([message]);
    expect([aws.messages('dead-letters').length, aws.messages('parking').length, aws.inFlight]).toEqual([0, 1, 0]);
    for (const line of runtime.log.trim().split('\n')) JSON.parse(line);
  });

  test('a dry run only counts, and an invalid input is refused with the reason', async () => {
    aws.put('dead-letters', readEvent('write-line-protocol-asynchronous'));
    expect(await runtime.invoke({ dryRun: true })).toMatchObject({ result: { messages: 1, kinds: { write: 1 } } });
    expect(aws.messages('dead-letters')).toHaveLength(1);
    expect(await runtime.invoke({ form: 'parking' })).toMatchObject({
      error: { errorType: 'InvalidEventError', errorMessage: expect.stringContaining("'form'") },
    });
  });
} else {
  test.skip('the built redrive: .aws-sam/build is missing (run npm run build)', () => undefined);
}
