/** Notes what comes over the wire to a local server that checks tokens: its `verify` and its `log` are those of the server. */
import { TokenVerifier } from 'shared/tokens/verifier';
import { type StackOptions, silentLogger } from '../contract/connector/harness';

/** The token that the server lets in. */
export const TOKEN = 'right-token';

/** One request and its answer. */
export interface Exchange {
  readonly status: number;
  readonly gzip: boolean;
  /** Ms between the answer before it and this request. */
  readonly waited: number;
}

type Verify = NonNullable<StackOptions['verify']>;

export class Recorder {
  private readonly verifier = new TokenVerifier(
    () => Promise.resolve(JSON.stringify({ tokens: [{ token: TOKEN }] })),
    silentLogger,
  );
  /** Requests without an answer so far. */
  private readonly open: Omit<Exchange, 'status'>[] = [];
  private exchanges: Exchange[] = [];
  private answered = performance.now();

  /** @param onAnswer called with the status of each answer, in the moment in which it is sent */
  constructor(private readonly onAnswer: (status: number) => void = () => undefined) {}

  readonly verify: Verify = (request) => {
    const gzip = request.headers?.['content-encoding'] === 'gzip';
    this.open.push({ gzip, waited: performance.now() - this.answered });
    return this.verifier.verify(request);
  };

  /** A line of the server's log: method, path, status. */
  readonly log = (line: string): void => {
    const status = Number(line.split(' ')[2]);
    this.exchanges.push({ gzip: false, waited: 0, ...this.open.shift(), status });
    this.answered = performance.now();
    this.onAnswer(status);
  };

  /** The exchanges since the last call. */
  take(): Exchange[] {
    const taken = this.exchanges;
    this.exchanges = [];
    return taken;
  }
}
