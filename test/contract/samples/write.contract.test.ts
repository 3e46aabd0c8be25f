/** Sample data through the sample client and the connector into the embedded Timestream, counted by SQL. */
import { writeLines } from '../../../samples/client/line-writer';
import { SAMPLE_DEFAULTS, sampleLines } from '../../../samples/generator/lines';
import { type Stack, startStack } from '../connector/harness';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});

afterAll(() => stack.close());

test('stores every line, in several batches; writing them again changes nothing', async () => {
  const lines = [...sampleLines({ ...SAMPLE_DEFAULTS, lines: 3_001 })];
  const reports: string[] = [];
  const options = {
    url: stack.url,
    precision: 'ns',
    batchLines: 1_000,
    report: (message: string) => reports.push(message),
  };
  const stored = { stored: 3_001, accepted: 0, dropped: 0, unstored: 0 };
  expect({ ...(await writeLines(lines, options)), reports }).toEqual({ ...stored, reports: [] });
  expect({ ...(await writeLines(lines, options)), reports }).toEqual({ ...stored, reports: [] });

  expect(await Promise.all(['weather', 'servers', 'machines'].map((table) => stack.count(table)))).toEqual([
    1_001, 1_000, 1_000,
  ]);
});

test('a line that only Timestream can refuse is dropped and named; the other lines are stored', async () => {
  const reports: string[] = [];
  const lines = ['conflict,t=1 v=1 1', 'conflict,t=1 v=2i 1767225600', 'conflict,t=1 v=3 1767225601'];
  const options = {
    url: stack.url,
    precision: 's',
    batchLines: 5_000,
    report: (text: string) => reports.push(text),
  };
  expect(await writeLines(lines, options)).toMatchObject({ stored: 1, dropped: 2, unstored: 0 });
  expect(reports).toEqual([expect.stringMatching(/^lines 1 to 3: HTTP 422: .*line 1: .*\nline [23]: [^\n]*$/s)]);
});
