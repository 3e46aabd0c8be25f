/** The program `influxdb-timestream`. */
import { CommanderError } from 'commander';
import { DONE, exitCodeOf, MISUSED } from './ending';
import { createProgram } from './program';

// The user's Node is the user's choice.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of the output, such as head, has enough of it.
  process.exit(error.code === 'EPIPE' ? DONE : exitCodeOf(error));
});

createProgram()
  .parseAsync()
  .catch((error: unknown) => {
    // Commander has written its message, or the help.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? DONE : MISUSED;
    else process.exitCode = exitCodeOf(error);
  });
