/** Lets requests in by the order of their arrival, so that the first of many are complete before the last ones begin. */

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

export class Turns {
  private held = 0;
  private readonly waiting: Waiting[] = [];

  /** @param maxBytes of all requests in progress together; a single request may have more */
  constructor(private readonly maxBytes: number) {}

  /** Runs `work` when it is the turn of its `bytes`. Requests without a body do not wait. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > 0) await this.enter(bytes);
    try {
      return await work();
    } finally {
      this.held -= bytes;
      this.letIn();
    }
  }

  private enter(bytes: number): Promise<void> {
    return new Promise((enter) => {
      this.waiting.push({ bytes, enter });
      this.letIn();
    });
  }

  private letIn(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      if (this.held > 0 && this.held + next.bytes > this.maxBytes) return;
      this.waiting.shift();
      this.held += next.bytes;
      next.enter();
    }
  }
}
