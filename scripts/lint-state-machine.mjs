/**
 * Checks the state machines with statelint (PyPI: `pip install statelint jsonata-python PyYAML`), in addition to asl-validator:
 * statelint parses every JSONata expression. The variable STATELINT names the program if it is not on PATH.
 */
import './require-node.cjs';

import { spawnSync } from 'node:child_process';

const DEFINITIONS = ['statemachine/bulk-load.asl.yaml', 'statemachine/migrate.asl.yaml'];

/** Messages about features of the States Language that statelint 3.1 does not support yet. */
const UNKNOWN_TO_STATELINT = [
  /\.MaxConcurrency is "\{% .* %\}" but should be numeric$/,
  /\.ToleratedFailurePercentage is "\{% .* %\}" but should be an Integer$/,
  /^Field "Label" not allowed in State Machine\.States\.(LoadBatches|LoadTables)(\.ItemProcessor\.States\.LoadWindows)?$/,
  /^Field "InputType" not allowed in .*\.ItemReader\.ReaderConfig$/,
];

for (const definition of DEFINITIONS) {
  // The definition has placeholders instead of URIs and numbers, so these checks are ignored.
  const options = ['--yaml', '--eval-jsonata', '--ignore=URI,FLOAT', definition];
  const { error, status, stdout, stderr } = spawnSync(process.env.STATELINT ?? 'statelint', options, {
    encoding: 'utf8',
  });
  if (error?.code === 'ENOENT') {
    console.log('skipped: statelint is not installed (pip install statelint jsonata-python PyYAML)');
    break;
  }
  const lines = `${stdout}${stderr}`.split('\n').map((line) => line.trim());
  const problems = lines.filter(
    (line) => line !== '' && !/^\d+ errors?:$/.test(line) && !UNKNOWN_TO_STATELINT.some((known) => known.test(line)),
  );
  for (const problem of problems) console.error(problem);
  if (error || status > 1) console.error(`statelint failed: ${error?.message ?? `code ${status}`}`);
  if (error || status > 1 || problems.length > 0) process.exitCode = 1;
  else console.log(`${definition}: no problems found by statelint`);
}
