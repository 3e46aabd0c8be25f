/** Ends with 1 where the SAM CLI is missing, and says how to install it, before `npm run build` begins its work. */
import './require-node.cjs';

import { spawnSync } from 'node:child_process';

if (spawnSync('sam', ['--version']).error !== undefined) {
  console.error(
    'The SAM CLI (sam) is not on the PATH. Install it, by `pip install aws-sam-cli`, `brew install aws-sam-cli`, or as in ' +
      'https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/install-sam-cli.html',
  );
  process.exitCode = 1;
}
