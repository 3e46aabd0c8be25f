/** The lines of a request that can never be stored, as an object for the bucket: JSON Lines, gzip, under the date of the request. */
import { createHash } from 'node:crypto';
import { type Rejected, RejectFile } from 'shared/reject-file';
import type { HttpRequest } from './request';

/** Keeping these takes about as long as storing as many points would, which a request has to leave time for. */
const MOST_LINES = 50_000;
/** How much of a line is kept, in characters: all that a line may have, where the bound is not raised. In JSON it may be six times it. */
const MOST_CHARACTERS = 65_536;

/** A line with its number, from 1, and without what ends it. */
export interface RejectedLine extends Rejected {
  readonly line: number;
  readonly text: string;
}

export interface RejectedLinesObject {
  readonly key: string;
  readonly body: Uint8Array;
}

export class RejectedLinesFile {
  private readonly time: string;
  private readonly file: RejectFile;

  constructor(private readonly request: HttpRequest) {
    this.time = new Date(request.time).toISOString();
    this.file = new RejectFile({ time: this.time, requestId: request.id }, { entries: MOST_LINES });
  }

  readonly add = (line: RejectedLine): void => {
    const { text } = line;
    this.file.add(text.length > MOST_CHARACTERS ? { ...line, text: `${text.slice(0, MOST_CHARACTERS)}...` } : line);
  };

  /** Undefined where no line was rejected. A request that is repeated by Lambda gives the same key. */
  finish(): RejectedLinesObject | undefined {
    const body = this.file.finish();
    return (
      body && { key: `rejected-lines/${this.time.slice(0, 10).replaceAll('-', '/')}/${this.name()}.jsonl.gz`, body }
    );
  }

  private name(): string {
    const { id, time, body } = this.request;
    // Requests without an id, which come without API Gateway, may have been made in the same millisecond.
    return /^[\w=-]+$/.test(id) ? id : `${time}-${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
  }
}
