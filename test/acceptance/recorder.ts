/** Records the exchanges of a local server that checks tokens, through the server's `verify` and `log`. */
import { TokenVerifier } from 'shared/tokens/verifier';
import { type StackOptions, silentLogger } from '../contract/connector/harness';

/** The token that the server accepts. */
export const TOKEN = 'right-token';

/** One request and its response. */
export interface Exchange {
  readonly status: number;
  readonly gzip: boolean;
  /** Ms between the previous response and this request. */
  readonly waited: number;
}

type Verify = NonNullable<StackOptions['verify']>;

export class Recorder {
  private readonly verifier = new TokenVerifier(
    () => Promise.resolve(JSON.stringify({ tokens: [{ token: TOKEN }] })),
    silentLogger,
  );
  /** Requests without a response so far. */
  private readonly open: Omit<Exchange, 'status'>[] = [];
  private exchanges: Exchange[] = [];
  private lastResponseAt = performance.now();

  /** @param onResponse called with the status of each response when it is sent */
  constructor(private readonly onResponse: (status: number) => void = () => undefined) {}

  readonly verify: Verify = (request) => {
    const gzip = request.headers?.['content-encoding'] === 'gzip';
    this.open.push({ gzip, waited: performance.now() - this.lastResponseAt });
    return this.verifier.verify(request);
  };

  /** A line of the server's log: time, method, path, status. */
  readonly log = (line: string): void => {
    const status = Number(line.split(' ')[3]);
    this.exchanges.push({ gzip: false, waited: 0, ...this.open.shift(), status });
    this.lastResponseAt = performance.now();
    this.onResponse(status);
  };

  /** The exchanges since the last call. */
  take(): Exchange[] {
    const taken = this.exchanges;
    this.exchanges = [];
    return taken;
  }
}
