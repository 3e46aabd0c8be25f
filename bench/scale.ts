/**
 * Prints the tables of docs/scale.md: what loads of 10^9 and 10^12 rows make of the planner, the writer and the windows of a migration, on a
 * virtual clock and with rates that other benchmarks measured. `npm run generate` writes them into the page.
 *
 *     npm run bench -- scale
 */
import { scaleTables } from '../test/simulation/scale/tables';
import { runMain } from './runs';

runMain(async () => {
  for (const [name, table] of Object.entries(await scaleTables())) console.log(`${name}\n\n${table}\n`);
});
