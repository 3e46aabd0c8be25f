/**
 * The endpoint that writes go to, as Timestream assigns it: asked for once, kept for as long as the answer says, asked for again
 * ahead of its end, and kept beyond it where that fails.
 * Source: "The endpoint discovery pattern" in the Timestream for LiveAnalytics developer guide.
 */
import { SharedWork } from '../resilience/shared-work';

export interface DiscoveredEndpoint {
  /** Host name, with port where it has one. */
  readonly address: string;
  readonly cacheMinutes: number;
}

/** Part of its life after which an endpoint is refreshed. */
const REFRESH_AFTER = 0.8;
/** After a failed refresh, the next try comes so much later. */
const RETRY_MS = 30_000;
/** So long a request waits for a refresh while it has an address. */
const REFRESH_LIMIT_MS = 1_000;

export class EndpointCache {
  private address: string | undefined;
  private refreshedAt = 0;
  private freshForMs = 0;
  private refreshing: SharedWork<string> | undefined;

  /** @param now ms since 1970: a monotonic clock stands still while a container is frozen */
  constructor(
    private readonly describe: (signal: AbortSignal) => Promise<DiscoveredEndpoint>,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The address to write to. A call that finds it near its end waits for the next one, so that nothing runs on after a request.
   * @throws what `describe` throws, or the reason of the signal, where there is no address yet
   */
  async get(signal: AbortSignal): Promise<string> {
    const { address } = this;
    if (address !== undefined && this.isFresh()) return address;
    const limits = address === undefined ? [signal] : [signal, AbortSignal.timeout(REFRESH_LIMIT_MS)];
    try {
      return await this.refresh(AbortSignal.any(limits));
    } catch (error) {
      if (address === undefined || this.address !== address) throw error;
      return address;
    }
  }

  /** Forgets the address, which the service called invalid, unless another one is known by now. */
  invalidate(address: string): void {
    if (this.address === address) this.address = undefined;
  }

  /** A clock that was set back makes the address old. */
  private isFresh(): boolean {
    const age = this.now() - this.refreshedAt;
    return age >= 0 && age < this.freshForMs;
  }

  private async refresh(signal: AbortSignal): Promise<string> {
    if (this.refreshing === undefined || this.refreshing.isAborted) {
      this.refreshing = new SharedWork((abort) => this.describe(abort).then((endpoint) => this.keep(endpoint)));
    }
    const { refreshing } = this;
    try {
      return await refreshing.join(signal);
    } catch (error) {
      this.freshen(RETRY_MS);
      throw error;
    } finally {
      if (this.refreshing === refreshing) this.refreshing = undefined;
    }
  }

  private keep({ address, cacheMinutes }: DiscoveredEndpoint): string {
    this.address = address;
    this.freshen(cacheMinutes * 60_000 * REFRESH_AFTER);
    return address;
  }

  private freshen(ms: number): void {
    this.refreshedAt = this.now();
    this.freshForMs = ms;
  }
}
