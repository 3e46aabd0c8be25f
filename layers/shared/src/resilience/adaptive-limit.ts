/** Limits the calls in progress, and halves the limit when the service is overloaded: additive increase, multiplicative decrease. */

export class AdaptiveLimit {
  private limit: number;
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  /** Counts the decreases: calls that began before the last one say nothing about the limit since then. */
  private decreases = 0;

  /** @param max limit at the beginning, and the maximum */
  constructor(private readonly max: number) {
    this.limit = max;
  }

  /**
   * Makes the call when its turn comes, in the order of the requests.
   * @param isOverload whether the result means that the service is overloaded; undefined if it does not say
   */
  async run<T>(call: () => Promise<T>, isOverload: (result: T) => boolean | undefined): Promise<T> {
    if (this.running >= Math.floor(this.limit)) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running += 1;
    const { decreases } = this;
    try {
      const result = await call();
      const isOver = isOverload(result);
      if (isOver === false) this.limit = Math.min(this.max, this.limit + 1 / this.limit);
      else if (isOver && decreases === this.decreases) this.decrease();
      return result;
    } finally {
      this.running -= 1;
      this.wakeWaiting();
    }
  }

  private decrease(): void {
    this.limit = Math.max(1, this.limit / 2);
    this.decreases += 1;
  }

  private wakeWaiting(): void {
    while (this.running < Math.floor(this.limit)) {
      const next = this.waiting.shift();
      if (!next) return;
      this.running += 1;
      next();
    }
  }
}
