/** The WriteRecords calls of the connector for many kinds of lines, as sent over the wire, checked with AWS's own model. */
import { WORKLOADS } from '../../bench/workloads';
import { connectorBefore, numberedLines } from '../contract/connector/harness';
import { type Harness, startHarness } from '../contract/timestream/harness';
import { writeEvent } from '../support/connector-handler';
import { missingCorpus } from '../support/corpus';
import { missingSink, Sink } from '../support/sink';
import { expandCall, readCall } from '../support/timestream-calls';
import { botocore, JUDGE, type Judgment, judged } from './aws-models';
import { AwsTap, forward, headerOf, type WireRequest } from './aws-tap';
import { corpusCases } from './differential/corpus';
import { randomCases, SEED } from './differential/random-cases';
import type { Request } from './differential/stored';
import { describeProof, detail } from './report';

interface Traffic {
  readonly name: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly requests: readonly Request[];
  /** Session token of temporary credentials. */
  readonly token?: string;
  /** Each request gets its own database: together they would exceed the limits of a table. */
  readonly apart?: true;
}

const text = (lines: string): Request => ({ body: Buffer.from(lines) });
const workloads = WORKLOADS.map((workload) => text(workload.request(0, 1_500)));
const random = randomCases().flatMap(({ requests }) => requests);
const BARE = Array.from({ length: 150 }, (_, n) => `bare n=${n}i,text="${n}" ${1_709_294_400_000_000_000 + n * 1_000}`);
const MERGED = numberedLines('merged', 250).flatMap((line) => [line, line.replace(' value=', ' other=1,value=')]);

const TRAFFIC: readonly Traffic[] = [
  { name: 'benchmark workloads, one table per measurement', requests: workloads },
  { name: 'benchmark workloads, a single table', environment: { table_mapping: 'single-table' }, requests: workloads },
  { name: `random lines (seed ${SEED}), some of them invalid`, requests: random, apart: true },
  {
    name: `random lines (seed ${SEED}), a single table`,
    environment: { table_mapping: 'single-table' },
    requests: random,
    apart: true,
  },
  {
    name: 'lines without tags, a default dimension',
    environment: { default_dimension: 'source=none' },
    requests: [text(BARE.join('\n'))],
  },
  {
    name: 'lines of the same series and time, merged, by temporary credentials',
    requests: [text(MERGED.join('\n'))],
    token: 'AQoDYXdzEPT//////////wEXAMPLE',
  },
  {
    name: 'a partition key by dimension, enforced, with tags and a KMS key',
    environment: {
      custom_partition_key_type: 'dimension',
      custom_partition_key_dimension: 'host',
      enforce_custom_partition_key: 'true',
      kms_key_id: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      resource_tags: 'team=plant,stage=test',
    },
    requests: [text(numberedLines('partitioned', 250).join('\n'))],
  },
  {
    name: 'a partition key by measure name',
    environment: { custom_partition_key_type: 'measure' },
    requests: [text(numberedLines('measured', 250).join('\n'))],
  },
  ...(missingCorpus === undefined
    ? [
        {
          name: 'line protocol corpus',
          requests: corpusCases().flatMap(({ requests }) => requests),
          apart: true as const,
        },
      ]
    : []),
];

const KEY = { key: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const operationOf = (request: WireRequest): string => headerOf(request, 'x-amz-target').split('.')[1] ?? '';

let timestream: Harness;
let tap: AwsTap;
/** The requests of each kind of traffic, in order. */
const recorded = new Map<string, readonly WireRequest[]>();

beforeAll(async () => {
  timestream = await startHarness({ now: Date.now });
  tap = await AwsTap.start(() => timestream.server.url);
  for (const { name, requests, token, apart, environment = {} } of TRAFFIC) {
    if (token === undefined) delete process.env.AWS_SESSION_TOKEN;
    else process.env.AWS_SESSION_TOKEN = token;
    if (apart) for (const request of requests) await write([request], environment);
    else await write(requests, environment);
    recorded.set(name, tap.take());
  }
  delete process.env.AWS_SESSION_TOKEN;
});

let databases = 0;

/** Writes to a new database. */
async function write(requests: readonly Request[], environment: Readonly<Record<string, string>>): Promise<void> {
  const settings = { database_name: `database-${databases++}`, ...environment };
  const { handler, close } = await connectorBefore(tap.url, { environment: settings });
  for (const { body, precision = 'ns' } of requests) {
    await handler(writeEvent(Buffer.from(body), { queryStringParameters: { org: 'o', bucket: 'b', precision } }));
  }
  await close();
}
afterAll(async () => {
  await tap.close();
  await timestream.close();
});

const requestsOf = (name: string): readonly WireRequest[] => recorded.get(name) ?? [];
describeProof(JUDGE, botocore.missing, () => {
  const judgments = new Map<string, readonly Judgment[]>();
  beforeAll(async () => {
    for (const { name, token = null } of TRAFFIC)
      judgments.set(name, await judged(requestsOf(name), { ...KEY, token }));
  });
  const of = (name: string): readonly Judgment[] => judgments.get(name) ?? [];

  test.each(TRAFFIC)('the requests conform to AWS’s model: $name', ({ name }) => {
    const operations = of(name).map(({ operation }) => operation);
    expect(operations).toEqual(requestsOf(name).map(operationOf));
    expect(new Set(operations)).toContain('WriteRecords');
    expect(of(name).filter(({ problems }) => problems.length > 0)).toEqual([]);
  });

  test('the signatures equal those of AWS’s signer, also with a session token', () => {
    const all = TRAFFIC.flatMap(({ name }) => of(name));
    expect(all.length).toBeGreaterThan(300);
    expect(all.filter(({ signature }) => signature.length > 0)).toEqual([]);
  });

  test('the check detects a changed request and a request above a limit of the model', async () => {
    const [name = ''] = recorded.keys();
    const good = requestsOf(name).find((request) => operationOf(request) === 'WriteRecords');
    if (good === undefined) throw new Error('nothing was written');
    const call = readCall(good.body);
    const broken = [
      { ...call, Records: [...call.Records, ...Array.from({ length: 101 }, () => call.Records[0])] },
      { ...call, Record: [] },
      { ...call, Records: [] },
      { ...call, CommonAttributes: { ...call.CommonAttributes, TimeUnit: 'HOURS' } },
      { ...call, CommonAttributes: { ...call.CommonAttributes, Version: '1' } },
    ].map((changed) => ({ ...good, body: Buffer.from(JSON.stringify(changed)) }));
    const found = await judged(broken, { ...KEY, token: null });
    expect(found.map(({ problems }) => problems.length)).toEqual(broken.map(() => 1));
    expect(found.every(({ signature }) => signature[0] === 'x-amz-content-sha256 does not match the body')).toBe(true);
    const [otherSecret] = await judged([good], { ...KEY, secret: 'another', token: null });
    expect(otherSecret).toMatchObject({ problems: [], signature: ['the signature differs'] });
  });

  afterAll(() => {
    const rows = TRAFFIC.map(({ name }) => {
      const operations = [...new Set(of(name).map(({ operation }) => String(operation)))].sort();
      const found = of(name).filter(({ problems, signature }) => problems.length + signature.length > 0);
      return [name, requestsOf(name).length > 0 ? operations.join(', ') : 'none', found.length];
    });
    detail('Requests of the connector, checked by botocore', ['traffic', 'operations', 'problems'], rows);
  });
});

if (missingCorpus !== undefined) {
  describeProof(JUDGE, missingCorpus, () => {
    test('the requests conform to AWS’s model: line protocol corpus', () => undefined);
  });
}

describeProof(
  'a second, independent Timestream Write endpoint, written from the service’s documentation',
  missingSink(),
  () => {
    let sink: Sink;
    beforeAll(async () => {
      sink = await Sink.start();
    });
    afterAll(() => sink.stop());

    test.each(TRAFFIC)('accepts every record that the embedded Timestream accepted: $name', async ({ name }) => {
      const refused: string[] = [];
      let accepted = 0;
      // All requests are sent: a refused one may have stored some of its records.
      for (const request of requestsOf(name)) {
        const { status, body } = await forward(request, sink.url);
        if (request.status !== 200) continue;
        if (status !== 200) refused.push(`${operationOf(request)}: ${status} ${body}`);
        else if (operationOf(request) === 'WriteRecords') accepted += expandCall(request.body).records.length;
      }
      expect(refused).toEqual([]);
      expect(accepted).toBeGreaterThan(0);
    });
  },
);
