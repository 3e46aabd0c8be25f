/** The folder that loads and migrations of this machine leave their progress in, for the console. */
import { join } from 'node:path';
import envPaths from 'env-paths';

/** A folder of the user, so that the console shows runs that were started in any folder. */
export const runsFolder = (): string => join(envPaths('influxdb-timestream', { suffix: '' }).cache, 'runs');
