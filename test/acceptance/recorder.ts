/** The local server over a connector under test, which notes what came over the wire. */
import { type RunningConnector, startConnector } from '../../local/connector/server';
import type { Stack } from '../contract/connector/harness';

/** One request and its answer. */
export interface Exchange {
  readonly status: number;
  readonly gzip: boolean;
  /** Ms between the answer before it and this request. */
  readonly waited: number;
}

export class Recorder {
  private constructor(
    private readonly connector: RunningConnector,
    private readonly exchanges: Exchange[],
  ) {}

  get url(): string {
    return this.connector.url;
  }

  /** @param onAnswer called with the status of each answer before it is sent */
  static async start(handler: Stack['handler'], onAnswer: (status: number) => void = () => undefined) {
    let answered = performance.now();
    const exchanges: Exchange[] = [];
    const connector = await startConnector({
      host: '127.0.0.1',
      port: 0,
      maxBodyBytes: 10_485_760,
      log: () => undefined,
      handler: async (event) => {
        const { headers } = event as { headers: Readonly<Record<string, string>> };
        const waited = performance.now() - answered;
        const answer = await handler(event);
        const status = answer?.statusCode ?? 202;
        exchanges.push({ status, gzip: headers['content-encoding'] === 'gzip', waited });
        onAnswer(status);
        answered = performance.now();
        return answer;
      },
    });
    return new Recorder(connector, exchanges);
  }

  /** The exchanges since the last call. */
  take(): Exchange[] {
    return this.exchanges.splice(0);
  }

  close(): Promise<void> {
    return this.connector.close();
  }
}
