/** Exits with 1 if the SAM CLI is missing, and says how to install it. `npm run build` and `npm run validate` run this first. */
import './require-node.cjs';

import { spawnSync } from 'node:child_process';
import { asCommand } from './command.mjs';

const { error, status } = spawnSync('sam', ['--version'], asCommand);
// With a shell, a missing program only shows as an exit code.
if (error !== undefined || status !== 0) {
  console.error(
    'The SAM CLI (sam) is not on the PATH. Install it with `pip install aws-sam-cli` or `brew install aws-sam-cli`, or see ' +
      'https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html',
  );
  process.exitCode = 1;
}
