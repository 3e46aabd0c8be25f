/**
 * Caches the endpoint that Timestream assigns for writes. The cache refreshes it before it expires, and keeps the expired endpoint
 * if the refresh fails.
 * Source: "The endpoint discovery pattern" in the Timestream for LiveAnalytics developer guide.
 */
import { SharedWork } from '../resilience/shared-work';

export interface DiscoveredEndpoint {
  /** Host name, with a port if it is not the default one. */
  readonly address: string;
  readonly cacheMinutes: number;
}

/** An endpoint is refreshed after this part of its lifetime. */
const REFRESH_AFTER = 0.8;
/** Time from a failed refresh to the next attempt. */
const RETRY_MS = 30_000;
/** Timeout of a refresh while there is an address. */
const REFRESH_LIMIT_MS = 1_000;

export class EndpointCache {
  private address: string | undefined;
  private refreshedAt = 0;
  private freshForMs = 0;
  private refreshing: SharedWork<string> | undefined;

  /** @param now ms since 1970; a monotonic clock would stop while the container is frozen */
  constructor(
    private readonly describe: (signal: AbortSignal) => Promise<DiscoveredEndpoint>,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The address for writes. A caller that finds it due for a refresh waits for the new one, so that no work continues after a request.
   * @throws the error of `describe`, or the reason of the signal, if there is no address yet
   */
  async get(signal: AbortSignal): Promise<string> {
    const { address } = this;
    if (address !== undefined && this.isFresh()) return address;
    try {
      return await this.refresh(signal);
    } catch (error) {
      if (address === undefined || this.address !== address) throw error;
      return address;
    }
  }

  /** Removes an address that the service reported as invalid. Keeps the current address if it is a different one. */
  invalidate(address: string): void {
    if (this.address === address) this.address = undefined;
  }

  /** If the clock was set back, the address counts as expired. */
  private isFresh(): boolean {
    const age = this.now() - this.refreshedAt;
    return age >= 0 && age < this.freshForMs;
  }

  private async refresh(signal: AbortSignal): Promise<string> {
    this.refreshing ??= new SharedWork(
      (abort) => this.discover(abort),
      (isFailed) => {
        this.refreshing = undefined;
        if (isFailed) this.freshen(RETRY_MS);
      },
    );
    return await this.refreshing.join(signal);
  }

  private async discover(abort: AbortSignal): Promise<string> {
    const limits = this.address === undefined ? [abort] : [abort, AbortSignal.timeout(REFRESH_LIMIT_MS)];
    return this.keep(await this.describe(AbortSignal.any(limits)));
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
