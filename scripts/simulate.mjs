/** Runs the simulations of test/simulation: `node scripts/simulate.mjs [--schedules N] [--seed S]`. */
import './require-node.cjs';

import { runProgram } from './run-program.mjs';

process.exitCode = await runProgram('test/simulation/simulate', process.argv.slice(2));
