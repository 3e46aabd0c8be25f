/** The last values of a sequence, in constant memory. */
export class Ring<T> {
  private readonly values: T[] = [];
  private added = 0;

  /** @param size maximum number of values that are kept */
  constructor(private readonly size: number) {}

  add(value: T): void {
    this.values[this.added++ % this.size] = value;
  }

  newestFirst(): T[] {
    const { values, added, size } = this;
    return values.map((_, index) => values[(added - 1 - index + size) % size] as T);
  }
}
