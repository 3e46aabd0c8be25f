/** Requests whose lines are written to a real InfluxDB 2: the same points as by a direct write, and each rejected line by its number. */
import { batchLines, writtenPrecision } from 'shared/influxdb/request-lines';
import { destinationBreaker, writeLineBatches } from 'shared/influxdb/request-writer';
import { NANOSECONDS, V1_PRECISIONS, V2_PRECISIONS } from 'shared/line-protocol/precision';
import { type LineReason, LineReport } from 'shared/line-report';
import { corpusBytes, missingCorpus, readCorpus } from '../../support/corpus';
import { clientOf, recordingLogger } from '../../support/influx-writing';
import { describeWithInfluxd, Influxd, ORG, STARTING_MS, TOKEN } from '../../support/influxd';

const REQUEST_TIME = 1_709_294_401_234;

describeWithInfluxd('the lines of a request in InfluxDB 2', (binary) => {
  let influxd: Influxd;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    influxd = await Influxd.start(binary);
    client = clientOf(influxd.url);
  }, STARTING_MS);
  afterAll(() => {
    client?.close();
    return influxd?.remove();
  });

  async function send(body: string | Buffer, bucket: string, precision = NANOSECONDS) {
    const found: LineReason[] = [];
    const report = new LineReport({ onLine: (line) => found.push(line) });
    const limits = { maxLineBytes: 65_536, batchLines: 5_000, batchBytes: 4 * 1024 * 1024 };
    const batches = batchLines(Buffer.from(body), { ...limits, precision, requestTime: REQUEST_TIME }, report);
    const unit = writtenPrecision(precision);
    const writer = {
      client: client.for({ org: ORG, bucket }, unit),
      body: Buffer.from(body),
      precision: unit,
      breaker: destinationBreaker(),
      logger: recordingLogger(),
    };
    const outcome = await writeLineBatches(batches, writer, report, new AbortController().signal);
    expect(outcome.failure).toBeUndefined();
    return { outcome, report, found, batches };
  }

  const direct = (body: string | Buffer, bucket: string, precision: string): Promise<Response> =>
    fetch(`${influxd.url}/api/v2/write?${new URLSearchParams({ org: ORG, bucket, precision })}`, {
      method: 'POST',
      headers: { authorization: `Token ${TOKEN}` },
      body: new Uint8Array(Buffer.from(body)),
    });

  const sorted = async (bucket: string): Promise<string[]> =>
    (await influxd.values(bucket)).map((value) => JSON.stringify(value)).sort();

  test.each([...V2_PRECISIONS.values()])(
    'bodies of every form are stored as by a direct write, with precision $name',
    async (precision) => {
      const { name } = precision;
      const body = [
        'plain,t=a v=1i 7',
        '  indented,t=b v=2.5 8  ',
        '# a comment, "quotes" too',
        '',
        'newline,t=d v="two\nlines" 10',
        'tag,t=e\\\nf v=t 11',
        'control,t=a\u0001\u007fb v="\u0000\u0002" 12',
        'escapes\\ and\\,,k\\=ey=v\\ w f\\ g="q\\"\\\\" -13',
        'unsigned,t=a v=18446744073709551615u,w=-9223372036854775808i 14',
        'same,t=a v=1 15',
        'same,t=a v=2 15',
        'ünï,日本=π v="😀" 16',
        'notags v="" 17',
      ].join('\n');
      await influxd.makeBucket(`forms-${name}`);
      await influxd.makeBucket(`direct-${name}`);
      const response = await direct(body, `direct-${name}`, name);
      expect(await response.text()).toBe('');
      expect(response.status).toBe(204);
      const { outcome, found } = await send(body, `forms-${name}`, precision);
      expect(found).toEqual([]);
      expect(outcome.stored).toBe(11);
      const stored = await sorted(`forms-${name}`);
      expect(stored).toHaveLength(11);
      expect(stored).toEqual(await sorted(`direct-${name}`));
    },
  );

  test('lines that end with CRLF are stored, which a direct write refuses', async () => {
    await influxd.makeBucket('crlf');
    const body = 'm,t=a v=1i 1\r\nm,t=b v="text" 2 \r\nm,t=c v=3i\r\n\r\nm,t=d v=4i 4\r';
    expect((await direct('m,t=a v=1i 1\r\n', 'crlf', 'ns')).status).toBe(400);
    const { outcome, found } = await send(body.replace('m,t=b v', 'm,t=b w'), 'crlf');
    expect(found).toEqual([]);
    expect(outcome.stored).toBe(4);
    const stored = await influxd.values('crlf');
    expect(stored.map(({ tags, value }) => `${tags.t} ${value}`).sort()).toEqual(['a 1', 'b text', 'c 3', 'd 4']);
  });

  test('lines that only InfluxDB refuses are reported by their numbers, and the others are stored', async () => {
    await influxd.makeBucket('unparsable');
    const lines = ['a,t=1 v=1 1', 'a,t=1,t=2 v=2 2', '# c', 'a,t=3 w="x\ny" 3', 'a,u=1,u=1 v=4 4', 'a,t=5 v=5 5'];
    const { outcome, report, found } = await send(lines.join('\n'), 'unparsable');
    expect(found.map(({ line }) => line)).toEqual([2, 6]);
    expect(found.map(({ reason }) => reason)).toEqual([
      "unable to parse 'a,t=1,t=2 v=2 2': at line 2: duplicate tags",
      "unable to parse 'a,u=1,u=1 v=4 4': at line 6: duplicate tags",
    ]);
    expect(report.faultyLines).toBe(2);
    expect(outcome.stored).toBe(3);
  });

  const NAMES = [
    'plain',
    'a\\ b',
    'a\\,b',
    'x\\=y',
    '"quoted"',
    'ünï',
    '日本',
    '😀',
    "it's",
    'back\\\\slash',
    'a"b',
    'z\u200bw',
    '\\t',
    'per%cent',
  ];

  test.each(NAMES)('lines with a type conflict are found by their numbers: field and measurement %s', async (name) => {
    const bucket = `conflict-${NAMES.indexOf(name)}`;
    await influxd.makeBucket(bucket);
    await send(`${name},t=a ${name}=1i 1`, bucket);
    const lines = [
      `${name},t=a ${name}=2i 2`,
      `${name},t=a ${name}="text" 3`,
      `${name},t=a other="text" 4`,
      'another v="text" 5',
      `${name} x=1,${name}="more",y=2 6`,
    ];
    const { outcome, report, found } = await send(lines.join('\n'), bucket);
    expect(found.map(({ line }) => line).sort()).toEqual([2, 5]);
    expect(found[0]?.reason).toMatch(/^line \d: field type conflict: input field /);
    expect(report.rejectedLines).toBe(2);
    expect(outcome.stored).toBe(3);
  });

  test('several type conflicts in one batch, of which InfluxDB names one, are found', async () => {
    await influxd.makeBucket('several');
    await send('m,t=a f=1i,g=1i,h=t 1\nn,t=a f=1i 1', 'several');
    const lines = Array.from({ length: 40 }, (_, n) => {
      const field = { 3: 'f="x"', 17: 'g=1.5', 18: 'h=1i', 39: 'f=2.5' }[n] ?? 'f=7i';
      return `m,t=a ${field} ${n + 2}`;
    });
    const { outcome, found } = await send(lines.join('\n'), 'several');
    expect(found.map(({ line }) => line).sort((a, b) => a - b)).toEqual([4, 18, 19, 40]);
    expect(outcome.stored).toBe(36);
    expect((await influxd.values('several')).filter(({ measurement }) => measurement === 'm')).toHaveLength(3 + 36);
  });

  test('a conflict inside the batch itself is found: the type of a new field is that of the line that InfluxDB takes first', async () => {
    await influxd.makeBucket('inside');
    const { outcome, report } = await send('m,t=a f=1i 1\nm,t=b f="x" 2\nm,t=c f=3i 3\nm,t=d f=4i 4', 'inside');
    expect(outcome.stored + report.rejectedLines).toBe(4);
    expect(await influxd.values('inside')).toHaveLength(outcome.stored);
  });

  test('lines outside the retention are found by their numbers, also with a type conflict in the same batch', async () => {
    await influxd.makeBucket('retention', 3_600);
    const now = BigInt(Date.now()) * 1_000_000n;
    const lines = [
      `m,t=a v=1i ${now}`,
      'm,t=b v=2i 1700000000000000000',
      `m,t=c v=3i ${now}`,
      'm,t=d v=4i -1',
      'm,t=e v=5i 0',
    ];
    const { outcome, found } = await send(lines.join('\n'), 'retention');
    expect(found.map(({ line }) => line)).toEqual([2, 4, 5]);
    expect(found[0]?.reason).toMatch(/^line 2: points outside retention policy/);
    expect(outcome.stored).toBe(2);
    const mixed = await send([...lines, `m,t=f v="x" ${now}`].join('\n'), 'retention');
    expect(mixed.found.map(({ line }) => line).sort()).toEqual([2, 4, 5, 6]);
    expect(mixed.outcome.stored).toBe(2);
  });

  if (missingCorpus === undefined) {
    test("InfluxData's corpus: InfluxDB stores the same points as by direct writes, and refuses the same lines", async () => {
      for (const bucket of ['corpus', 'corpus-direct', 'corpus-rest']) await influxd.makeBucket(bucket);
      const differing: string[] = [];
      let compared = 0;
      for (const [key, { input }] of Object.entries(readCorpus().decode)) {
        const body = corpusBytes(input.text);
        const precision = V1_PRECISIONS.get(input.precision.slice(1).replace('µ', 'u'));
        if (precision === undefined) continue;
        const limits = {
          maxLineBytes: 65_536,
          batchLines: 5_000,
          batchBytes: 1e6,
          requestTime: REQUEST_TIME,
          precision,
        };
        const invalid = new LineReport();
        const batches = batchLines(body, limits, invalid);
        // docs/differences.md lists what the decoder refuses and InfluxDB does not, such as control characters in keys.
        if (invalid.faultyLines + invalid.rejectedLines > 0) continue;
        // A direct write gives lines without a timestamp the time of the server.
        const hasAllTimes = batches.every(({ bytes }) => body.includes(Buffer.from(bytes)));
        if (!hasAllTimes) continue;
        compared++;
        if (batches.length === 0) continue;
        const { status } = await direct(body, 'corpus-direct', precision.name);
        const { report } = await send(body, status !== 400 ? 'corpus' : 'corpus-rest', precision);
        const refused = report.faultyLines + report.rejectedLines;
        if ((status === 204) !== (refused === 0))
          differing.push(`${key}: ${status}, ${refused} lines refused: ${JSON.stringify(body.toString())}`);
      }
      expect(compared).toBeGreaterThan(100);
      expect(differing).toEqual([]);
      expect(await sorted('corpus')).toEqual(await sorted('corpus-direct'));
    }, 300_000);
  } else test.skip(`InfluxData's corpus: InfluxDB stores the same points (${missingCorpus})`, () => undefined);
});
