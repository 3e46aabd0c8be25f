/** Writes the files that are generated from code: `npm run generate`. A test fails where the committed files differ. */
import { runProgram } from './run-program.mjs';

process.exitCode = await runProgram('schemas/generate', process.argv.slice(2));
