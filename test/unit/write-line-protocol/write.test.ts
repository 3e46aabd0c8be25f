/** The order of the work in two destinations, and its end. */
import { setTimeout } from 'node:timers/promises';
import { loadConnectorConfig } from 'shared/config';
import type { Environment } from 'shared/environment';
import { ApiError } from '../../../functions/write-line-protocol/api-error';
import type { Destination, Store } from '../../../functions/write-line-protocol/destination';
import { readHttpRequest } from '../../../functions/write-line-protocol/request';
import { type WriteServices, writeLines } from '../../../functions/write-line-protocol/write';
import { recordingLogger } from '../../support/influx-writing';

const BOTH = { destination: 'both', INFLUXDB_URL: 'http://influxdb', INFLUXDB_TOKEN: 'token' };
const OPTIONAL = { ...BOTH, secondary_required: 'false', dead_letter_queue_url: 'https://sqs/queue' };

function write(
  timestream: Destination['prepare'],
  influxdb: Destination['prepare'],
  environment: Environment = BOTH,
  sendDeadLetter: WriteServices['sendDeadLetter'] = () => Promise.reject(new Error('not expected')),
): Promise<unknown> {
  const check = () => Promise.resolve();
  const services: WriteServices = {
    config: loadConnectorConfig(environment),
    logger: recordingLogger(),
    destinations: [
      { name: 'timestream', prepare: timestream, check },
      { name: 'influxdb', prepare: influxdb, check },
    ],
    sendDeadLetter,
  };
  const { signal } = new AbortController();
  return writeLines(readHttpRequest({ body: 'm,t=a v=1i 7' }), services, { signal, early: signal });
}

test.each(['timestream', 'influxdb'])(
  'fails only after the other destination has ended, if %s fails unexpectedly',
  async (failing) => {
    const ended: string[] = [];
    const fails: Store = () => Promise.reject(new Error('unexpected'));
    const ends: Store = async () => {
      await setTimeout(1);
      ended.push('the other');
      throw new Error('unexpected');
    };
    const [first, second] = failing === 'timestream' ? [fails, ends] : [ends, fails];
    await expect(
      write(
        () => first,
        () => second,
      ),
    ).rejects.toThrow('unexpected');
    expect(ended).toEqual(['the other']);
  },
);

test('a request that InfluxDB refuses by its names is not decoded for Timestream', async () => {
  let decoded = 0;
  const refuses = (): never => {
    throw new ApiError(404, 'not found', 'bucket not found');
  };
  const decodes = (): Store => {
    decoded++;
    return () => Promise.reject(new Error('not expected'));
  };
  await expect(write(decodes, refuses)).rejects.toMatchObject({ status: 404 });
  expect(decoded).toBe(0);
});

test('what an optional InfluxDB did not store is kept before Timestream ends', async () => {
  const nothing = {
    calls: 1,
    throttledCalls: 0,
    superseded: 0,
    throttled: false,
    unstoredReason: undefined,
    advice: '',
  };
  const place = { line: 1, start: 0, end: 11 };
  let keep = (): void => undefined;
  const kept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const result = await write(
    () => async () => {
      await kept;
      return { ...nothing, points: 1, stored: 1, unstored: 0 };
    },
    () => () => Promise.resolve({ ...nothing, points: 1, stored: 0, unstored: 1, unstoredLines: [place] }),
    OPTIONAL,
    () => Promise.resolve(keep()),
  );
  expect(result).toMatchObject({ results: [{ stored: 1 }, { unstored: 0, kept: 1 }] });
});
