/** The order in which the local server handles requests that arrive together. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import type { InvocationContext } from '../../../functions/write-line-protocol/write-handler';
import { startConnector } from '../../../local/connector/server';
import { Turns } from '../../../local/connector/turns';

test('lets requests in by the order of arrival, while their bytes fit, and a larger one alone', async () => {
  const bodies = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 15 }), fails: fc.boolean() }), {
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(bodies, fc.infiniteStream(fc.nat()), async (requests, picks) => {
      const turns = new Turns(10);
      const running = new Map<number, { bytes: number; end: () => void }>();
      const begun: number[] = [];
      const done = requests.map(({ bytes, fails }, index) =>
        turns
          .run(bytes, async () => {
            begun.push(index);
            await new Promise<void>((end) => running.set(index, { bytes, end }));
            if (fails) throw new Error(String(index));
            return index;
          })
          .catch((error: Error) => Number(error.message)),
      );
      for (let ended = 0; ended < requests.length; ended++) {
        await setImmediate();
        const held = [...running.values()].reduce((sum, { bytes }) => sum + bytes, 0);
        expect(held <= 10 || running.size === 1).toBe(true);
        // Nobody waits without need.
        const next = requests[begun.length];
        expect(next === undefined || (running.size > 0 && held + next.bytes > 10)).toBe(true);
        const [index, { end }] = [...running][picks.next().value % running.size];
        running.delete(index);
        end();
      }
      expect(await Promise.all(done)).toEqual(requests.map((_, index) => index));
      expect(begun).toEqual(requests.map((_, index) => index));
    }),
  );
});

test('counts the wait of a write for its turn as time of the request, and serves requests without a body meanwhile', async () => {
  const writes: { remaining: () => number; end: () => void }[] = [];
  const empty = { statusCode: 204, headers: {}, body: '', isBase64Encoded: false } as const;
  const connector = await startConnector({
    handler: async (event, context) => {
      if ((event as { body: string }).body === '') return empty;
      const remaining = (context as InvocationContext).getRemainingTimeInMillis;
      await new Promise<void>((end) => writes.push({ remaining, end }));
      return empty;
    },
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: 10_000_000,
    writeDeadlineMs: 60_000,
    corsAllowedOrigins: [],
    arrivalMs: 60_000,
    log: () => undefined,
  });
  const write = () => fetch(`${connector.url}/api/v2/write`, { method: 'POST', body: 'x'.repeat(3 * 1024 * 1024) });
  const untilWrites = async (count: number): Promise<void> => {
    while (writes.length < count) await setImmediate();
  };
  try {
    const first = write();
    await untilWrites(1);
    const arrived = performance.now();
    const second = write();
    expect((await fetch(`${connector.url}/ping`)).status).toBe(204);
    // Long enough for the body of the second write to arrive.
    while (performance.now() - arrived < 300) await setImmediate();
    expect(writes).toHaveLength(1);
    writes[0]?.end();
    expect((await first).status).toBe(204);
    await untilWrites(2);
    const remaining = writes[1]?.remaining() ?? Number.NaN;
    // The time begins when the body has arrived. Lambda reserves another second.
    expect(remaining).toBeGreaterThan(60_000 + 1_000 - (performance.now() - arrived) - 1);
    expect(remaining).toBeLessThan(60_000 + 1_000);
    writes[1]?.end();
    expect((await second).status).toBe(204);
  } finally {
    for (const { end } of writes) end();
    await connector.close();
  }
});
