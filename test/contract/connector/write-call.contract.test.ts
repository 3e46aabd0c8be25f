/** The connections of write calls, against a server that answers as its script says. */
import { callSender } from '../../../functions/write-line-protocol/write-call';
import { ScriptedServer } from '../../scripted-server';

const CREDENTIALS = { accessKeyId: 'key', secretAccessKey: 'secret' };

test('a call is given up after 3 s of silence, and a connection that had no call for as long is still used', async () => {
  const server = await ScriptedServer.start((_, index) => (index === 2 ? 'hang' : { status: 200, body: '{}' }));
  const target = { url: () => Promise.resolve(new URL(server.url)), invalidate: () => undefined };
  const send = callSender(target, 'us-east-1', () => Promise.resolve(CREDENTIALS));
  const { signal } = new AbortController();
  try {
    await Promise.all([send(Buffer.from('1'), signal), send(Buffer.from('2'), signal)]);
    await expect(send(Buffer.from('3'), signal)).rejects.toThrow('no answer within 3000 ms');
    expect(await send(Buffer.from('4'), signal)).toMatchObject({ status: 200 });
    expect(server.requests.map(({ body }) => body).sort()).toEqual(['1', '2', '3', '4']);
    expect(server.connections).toBe(2);
  } finally {
    await server.stop();
  }
}, 20_000);
