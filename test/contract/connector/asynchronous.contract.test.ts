/** Asynchronous mode against servers that never respond, in place of Lambda and SQS: calls are aborted and connections closed. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type ConnectorConfig, loadConnectorConfig } from 'shared/config';
import { invokeSelf, sendDeadLetter } from '../../../functions/write-line-protocol/asynchronous-clients';
import { ASYNCHRONOUS, writeEvent } from '../../support/connector-handler';

process.env.AWS_ACCESS_KEY_ID = 'AKIDEXAMPLE';
process.env.AWS_SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

const MESSAGE = { ...writeEvent('broken\n'), asynchronous: true, rejectedLines: ['why'] };

let silent: Server;
let config: ConnectorConfig;
beforeAll(async () => {
  silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  process.env.AWS_ENDPOINT_URL_LAMBDA = url;
  config = loadConnectorConfig({ ...ASYNCHRONOUS, dead_letter_queue_url: `${url}/123456789012/queue` });
});
afterAll(() => silent.close());

test.each<[string, (signal: AbortSignal) => Promise<void>]>([
  ['invokes itself', (signal) => invokeSelf(config, writeEvent('m,t=a v=1'), signal)],
  ['sends a message to the dead-letter queue', (signal) => sendDeadLetter(config, MESSAGE, signal)],
])('the deadline ends the call and its connection if the function %s and gets no response', async (_, call) => {
  const deadline = new AbortController();
  const requested = once(silent, 'request');
  const calling = call(deadline.signal).catch((error: unknown) => error);
  const [{ socket }] = (await requested) as [{ socket: Socket }];
  const closed = once(socket, 'close');
  deadline.abort();
  expect(await calling).toMatchObject({ name: 'AbortError' });
  await closed;
});
