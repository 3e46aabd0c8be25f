/** The sample file of the original connector: it gives the same rows in the same tables, however often it is written. */
import { existsSync, readFileSync } from 'node:fs';
import { type Stack, startStack } from './harness';

/** bird-migration.line of the original connector's repository. */
const file = process.env.SAMPLE_LINES;
const ROWS = { migration1: 26, migration2: 178, migration3: 1_797 };

if (file !== undefined && existsSync(file)) {
  test('writing the sample file twice stores 26, 178 and 1,797 rows', async () => {
    const stack: Stack = await startStack();
    try {
      for (let times = 0; times < 2; times++) {
        expect((await stack.write(new Uint8Array(readFileSync(file)))).status).toBe(204);
        for (const [table, rows] of Object.entries(ROWS))
          expect([table, await stack.count(table)]).toEqual([table, rows]);
      }
    } finally {
      await stack.close();
    }
  });
} else {
  test.skip('the sample file twice [skipped: set SAMPLE_LINES to bird-migration.line of the original connector]', () =>
    undefined);
}
