/** The program `influxdb-timestream`. */
import { CommanderError } from 'commander';
import { DONE, exitCodeOf, MISUSED } from './ending';
import { createProgram } from './program';

// The version of Node is the user's choice, so hide the SDK's warning about it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of the output, such as head, has closed the pipe.
  process.exit(error.code === 'EPIPE' ? DONE : exitCodeOf(error));
});

createProgram()
  .parseAsync()
  .catch((error: unknown) => {
    // Commander has already printed its message or the help.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? DONE : MISUSED;
    else process.exitCode = exitCodeOf(error);
  });
