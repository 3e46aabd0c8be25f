/** Writes the files that are generated from code: `npm run generate`. A test fails if the committed files differ. */
import './require-node.cjs';

import { runProgram } from './run-program.mjs';

process.exitCode = await runProgram('reference/generate', process.argv.slice(2));
