/** Makes the object that keeps the rejected lines of a request: JSON Lines, gzip, with the date of the request in its key. */
import { createHash } from 'node:crypto';
import type { DestinationName } from 'shared/destination-config';
import type { LineReason } from 'shared/line-report';
import { type Rejected, RejectFile } from 'shared/reject-file';
import type { HttpRequest } from './request';

/** Keeping a line takes about as long as storing a point, and must fit into the time of the request. */
const MAX_LINES = 50_000;
/** The part of a line that is kept, in characters: the whole line, unless MaxLineBytes is raised. As JSON it can be six times as long. */
const MAX_LINE_CHARACTERS = 65_536;

/** A line with its number, from 1, and without its line break. */
export interface RejectedLine extends Rejected {
  readonly line: number;
  readonly text: string;
  readonly kind: LineReason['kind'];
  /** The destination that rejected it; undefined for a line that is not valid line protocol. */
  readonly destination: DestinationName | undefined;
}

/** @param only the one destination that lacks the line; undefined if none of the request has it */
export type OnRejected = (line: RejectedLine, only: DestinationName | undefined) => void;

export interface RejectedLinesObject {
  readonly key: string;
  readonly body: Uint8Array;
}

export class RejectedLinesFile {
  private readonly time: string;
  private readonly file: RejectFile;

  constructor(private readonly request: HttpRequest) {
    this.time = new Date(request.time).toISOString();
    this.file = new RejectFile({ time: this.time, requestId: request.id }, { entries: MAX_LINES });
  }

  readonly add: OnRejected = (line) => {
    const { text } = line;
    this.file.add(
      text.length > MAX_LINE_CHARACTERS ? { ...line, text: `${text.slice(0, MAX_LINE_CHARACTERS)}...` } : line,
    );
  };

  /** Undefined if no line was rejected. A request that Lambda repeats gets the same key. */
  finish(): RejectedLinesObject | undefined {
    const body = this.file.finish();
    return (
      body && { key: `rejected-lines/${this.time.slice(0, 10).replaceAll('-', '/')}/${this.name()}.jsonl.gz`, body }
    );
  }

  private name(): string {
    const { id, time, body } = this.request;
    // Requests that do not come through API Gateway have no id, and two of them may have the same time in milliseconds.
    return /^[\w=-]+$/.test(id) ? id : `${time}-${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
  }
}
