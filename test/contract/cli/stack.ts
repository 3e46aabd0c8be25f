/** A deployed stack for the program: fakes of CloudFormation, Step Functions and S3, over HTTP. */
import { AwsDoubles } from '../../support/aws-doubles';
import { S3Double } from '../../support/s3-double';
import { bundleProgram, type Ended, runProgram } from './program';

export interface StackDoubles {
  aws: AwsDoubles;
  s3: S3Double;
  /** Runs the command with `--stack Mine`. */
  run(command: string, ...argv: string[]): Promise<Ended>;
}

/** The fakes end with the tests of the calling file. Each test begins without executions, with the stack `Mine`. */
export function stackDoubles(outputs: Readonly<Record<string, string>>): StackDoubles {
  const made = {
    run: (command, ...argv) =>
      runProgram([command, ...argv, '--stack', 'Mine'], {
        env: {
          AWS_ENDPOINT_URL: made.aws.url,
          AWS_ENDPOINT_URL_S3: made.s3.url,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          AWS_EC2_METADATA_DISABLED: 'true',
        },
      }),
  } as StackDoubles;
  beforeAll(async () => {
    bundleProgram();
    [made.aws, made.s3] = await Promise.all([AwsDoubles.start({}), S3Double.start()]);
  });
  beforeEach(() => {
    made.aws.executions.clear();
    made.aws.states.clear();
    made.aws.mapRuns = [];
    made.s3.objects.clear();
    made.aws.stacks.set('Mine', { outputs });
  });
  afterAll(() => Promise.all([made.aws.stop(), made.s3.stop()]));
  return made;
}
