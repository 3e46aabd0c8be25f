/**
 * The endpoint that writes go to, as Timestream assigns it: asked for once, kept for as long as the answer says, refreshed ahead
 * of its end in the background, and kept beyond it where asking again fails.
 * Source: "The endpoint discovery pattern" in the Timestream for LiveAnalytics developer guide.
 */

export interface DiscoveredEndpoint {
  /** Host name, with port where it has one. */
  readonly address: string;
  readonly cacheMinutes: number;
}

/** Part of its life after which an endpoint is refreshed. */
const REFRESH_AFTER = 0.8;
/** After a failed refresh, the next try comes so much later. */
const RETRY_MS = 30_000;

export class EndpointCache {
  private address: string | undefined;
  private refreshAt = 0;
  private refreshing: Promise<string> | undefined;

  /** @param now ms, never goes back */
  constructor(
    private readonly describe: () => Promise<DiscoveredEndpoint>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The address to write to. @throws what `describe` throws, where there is no address yet */
  get(): Promise<string> {
    if (this.address === undefined) return this.refresh();
    if (this.now() >= this.refreshAt) this.refresh().catch(() => undefined);
    return Promise.resolve(this.address);
  }

  /** Forgets the address, which the service called invalid, unless another one is known by now. */
  invalidate(address: string): void {
    if (this.address === address) this.address = undefined;
  }

  private refresh(): Promise<string> {
    this.refreshing ??= this.describe()
      .then(({ address, cacheMinutes }) => {
        this.address = address;
        this.refreshAt = this.now() + cacheMinutes * 60_000 * REFRESH_AFTER;
        return address;
      })
      .catch((error: unknown) => {
        this.refreshAt = this.now() + RETRY_MS;
        throw error;
      })
      .finally(() => {
        this.refreshing = undefined;
      });
    return this.refreshing;
  }
}
