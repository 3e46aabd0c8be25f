/** Writes the results of items in the format of a Distributed Map: result files, and a manifest that lists them. */
import type { ObjectRef, ObjectStore } from 'shared/loads/objects';

const MAX_RESULTS_PER_FILE = 1000;

export class MapResults {
  private readonly written = { SUCCEEDED: [] as { Key: string }[], FAILED: [] as { Key: string }[] };
  private readonly pending = { SUCCEEDED: [] as unknown[], FAILED: [] as unknown[] };
  private writing: Promise<void> = Promise.resolve();

  /** @param prefix its key is the prefix of the keys of all files */
  constructor(
    private readonly objects: ObjectStore,
    private readonly prefix: ObjectRef,
  ) {}

  succeeded(input: unknown, output: unknown): void {
    this.add('SUCCEEDED', { Input: JSON.stringify(input), Output: JSON.stringify(output) });
  }

  failed(input: unknown, { error, cause }: { error: string; cause: string }): void {
    this.add('FAILED', { Input: JSON.stringify(input), Error: error, Cause: cause });
  }

  async finish(): Promise<{ bucket: string; manifestKey: string }> {
    this.flush('SUCCEEDED');
    this.flush('FAILED');
    await this.writing;
    const { bucket, key } = this.prefix;
    const manifest = { DestinationBucket: bucket, ResultFiles: { ...this.written, PENDING: [] } };
    const manifestKey = `${key}/manifest.json`;
    await this.write(manifestKey, manifest);
    return { bucket, manifestKey };
  }

  private add(status: 'SUCCEEDED' | 'FAILED', child: object): void {
    this.pending[status].push({ ...child, Status: status });
    if (this.pending[status].length >= MAX_RESULTS_PER_FILE) this.flush(status);
  }

  private flush(status: 'SUCCEEDED' | 'FAILED'): void {
    const children = this.pending[status];
    if (children.length === 0) return;
    this.pending[status] = [];
    const key = `${this.prefix.key}/${status}_${this.written[status].length}.json`;
    this.written[status].push({ Key: key });
    this.writing = this.writing.then(() => this.write(key, children));
  }

  private write(key: string, value: unknown): Promise<void> {
    const body = Buffer.from(JSON.stringify(value));
    return this.objects.write({ bucket: this.prefix.bucket, key }, body, 'application/json');
  }
}
