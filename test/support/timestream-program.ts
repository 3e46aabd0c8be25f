/** The embedded Timestream as a program of its own: `timestream-program PORT FOLDER`. Prints its URL when it listens. */
import { startTimestream } from '../../local/timestream/server';

const [port, dataDir] = process.argv.slice(2);
void startTimestream({ host: '127.0.0.1', port: Number(port), ...(dataDir !== undefined && { dataDir }) }).then(
  ({ url }) => console.log(url),
);
