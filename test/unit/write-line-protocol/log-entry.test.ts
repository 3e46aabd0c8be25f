/** The log entry of a write, whose fields operators query: docs/operations.md lists them. */
import { handlerOf, writeEvent } from '../../support/connector-handler';

test('the entry of a write has its points, its invalid and rejected lines, and the destination', async () => {
  const { handle, logger } = handlerOf();
  await handle(writeEvent('m,t=a v=1 1\nm,t=b v=2,s="" 1\nbroken\nm v=1 1\n'));
  expect(logger.entries.find(({ message }) => message === 'write')?.fields).toMatchObject({
    destination: 'timestream',
    points: 2,
    calls: 1,
    stored: 2,
    unstored: 0,
    faultyLines: 1,
    rejectedLines: 1,
    emptyStrings: 1,
  });
});
