import { readWriteArguments } from '../../../samples/client/arguments';

test('a file goes to the local endpoint in batches of 5,000 lines', () => {
  expect(readWriteArguments(['data.lp'])).toEqual({
    source: { file: 'data.lp' },
    endpoint: 'http://localhost:9000/',
    token: undefined,
    region: process.env.AWS_REGION ?? 'us-east-1',
    service: 'execute-api',
    precision: 'ns',
    batchLines: 5_000,
  });
});

test('every option is read', () => {
  const args =
    '--dataset weather --endpoint https://api.example.com/v1 --token abc= --region sa-east-1 --service lambda --precision s';
  expect(readWriteArguments([...args.split(' '), '--batch-lines', '10'])).toEqual({
    source: { dataset: 'weather' },
    endpoint: 'https://api.example.com/v1',
    token: 'abc=',
    region: 'sa-east-1',
    service: 'lambda',
    precision: 's',
    batchLines: 10,
  });
});

test('the endpoint names the region', () => {
  const args = ['data.lp', '--endpoint', 'https://abc.execute-api.eu-west-1.amazonaws.com/dev'];
  expect(readWriteArguments(args)?.region).toBe('eu-west-1');
});

test.each([
  [[], 'one FILE'],
  [['a.lp', 'b.lp'], 'one FILE'],
  [['a.lp', '--dataset', 'weather'], 'one FILE'],
  [['--dataset', 'none'], '--dataset'],
  [['a.lp', '--endpoint', 'localhost:9000'], '--endpoint'],
  [['a.lp', '--endpoint', 'http://localhost:9000/?org=a'], '--endpoint'],
  [['a.lp', '--token', ''], '--token'],
  [['a.lp', '--token', 'a b'], '--token'],
  [['a.lp', '--precision', 'h'], '--precision'],
  [['a.lp', '--batch-lines', '0'], '--batch-lines'],
])('%j is refused', (args, part) => {
  expect(() => readWriteArguments(args)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(part) }),
  );
});
