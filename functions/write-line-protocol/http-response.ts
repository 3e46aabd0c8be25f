/**
 * Reads one response to a POST from the bytes of an HTTP/1.1 connection. Stricter than RFC 9112 allows where two readings of the same
 * bytes are possible, because a response that is cut at the wrong place would become the start of the next one.
 * Source: RFC 9112, sections 4 to 7, and RFC 9110, section 15.2 for interim responses.
 */
import { HttpResponseError } from 'shared/errors';

/** Maximum size of the heads of a response, and of its trailers; Node.js has the same limit. */
const MAX_HEAD_BYTES = 16 * 1024;
/** A response that rejects every record of a call has about 30 KB. */
const MAX_BODY_BYTES = 1024 * 1024;
const LINE_FEED = 10;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
/** Headers that say where a body ends. After the body they are an error. */
const FRAMING = /^(?:content-length|transfer-encoding):/i;
/** A size, and extensions, which are ignored. */
const CHUNK_LINE =
  /^([\da-fA-F]{1,8})(?:;[!#$%&'*+.^_`|~\w-]+(?:=(?:[!#$%&'*+.^_`|~\w-]+|"[\t\x20!\x23-\x5b\x5d-\x7e\x80-\xff]*"))?)*$/;

/** What the next bytes are. */
type Part =
  | 'status line'
  | 'fields'
  /** Data of the body, up to `left` bytes. */
  | 'body'
  | 'chunk size'
  | 'chunk'
  | 'end of chunk'
  | 'trailers'
  /** Data of the body, until the connection ends. */
  | 'rest'
  | 'nothing';

export class HttpResponse {
  /** 0 before the head has arrived. */
  status = 0;
  /** The header `date`. */
  date: string | undefined;
  /** Whether the connection can be used for another request. */
  isPersistent = true;
  /** Whether no byte has arrived. */
  isUntouched = true;
  private part: Part = 'status line';
  /** The start of a line whose end has not arrived. */
  private lineStart = '';
  private headBytes = 0;
  /** HTTP 1.0. */
  private isOldVersion = false;
  private contentLength: number | undefined;
  private transferEncoding: string | undefined;
  /** Missing bytes of the body or chunk. */
  private left = 0;
  private bodyBytes = 0;
  private readonly chunks: Buffer[] = [];

  get body(): Buffer {
    return this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
  }

  /**
   * Reads the next bytes and copies what it keeps.
   * @returns whether the response is complete
   * @throws HttpResponseError for bytes that are no valid response, or exceed a limit
   */
  read(bytes: Buffer): boolean {
    this.isUntouched = false;
    let at = 0;
    while (at < bytes.length && this.part !== 'nothing') {
      const hasData = this.part === 'body' || this.part === 'chunk' || this.part === 'rest';
      at = hasData ? this.readData(bytes, at) : this.readLine(bytes, at);
    }
    // Nobody requested these bytes, so nothing is known about those that follow.
    if (at < bytes.length) this.isPersistent = false;
    return this.part === 'nothing';
  }

  /** The connection has ended. Returns whether that completes the response. */
  end(): boolean {
    if (this.part === 'rest') this.part = 'nothing';
    return this.part === 'nothing';
  }

  private readData(bytes: Buffer, at: number): number {
    const end = this.part === 'rest' ? bytes.length : Math.min(bytes.length, at + this.left);
    this.bodyBytes += end - at;
    if (this.bodyBytes > MAX_BODY_BYTES) throw new HttpResponseError('its body is longer than 1 MB');
    this.left -= end - at;
    this.chunks.push(Buffer.from(bytes.subarray(at, end)));
    if (this.left === 0 && this.part !== 'rest') this.part = this.part === 'chunk' ? 'end of chunk' : 'nothing';
    return end;
  }

  private readLine(bytes: Buffer, at: number): number {
    const lineFeed = bytes.indexOf(LINE_FEED, at);
    const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
    this.headBytes += end - at;
    if (this.headBytes > MAX_HEAD_BYTES) throw new HttpResponseError('its head is longer than 16 KB');
    const line = this.lineStart + bytes.toString('latin1', at, end);
    if (lineFeed < 0) this.lineStart = line;
    else {
      this.lineStart = '';
      if (!line.endsWith('\r\n')) throw new HttpResponseError('a line does not end with CR LF');
      this.takeLine(line.slice(0, -2));
    }
    return end;
  }

  private takeLine(line: string): void {
    switch (this.part) {
      case 'status line':
        this.takeStatus(line);
        break;
      case 'fields':
        if (line === '') this.endHead();
        else this.takeField(line);
        break;
      case 'chunk size':
        this.takeChunkSize(line);
        break;
      case 'end of chunk':
        if (line !== '') throw new HttpResponseError('a chunk is longer than its size');
        this.part = 'chunk size';
        // Lines between chunks do not belong to a head. Each has its own limit, so that a body may have any number of chunks.
        this.headBytes = 0;
        break;
      default:
        if (line === '') this.part = 'nothing';
        else if (!FIELD_LINE.test(line) || FRAMING.test(line)) throw new HttpResponseError('a trailer is not valid');
    }
  }

  private takeStatus(line: string): void {
    const [, minorVersion, status] = STATUS_LINE.exec(line) ?? [];
    if (status === undefined) throw new HttpResponseError('its status line is not valid');
    this.status = Number(status);
    this.isOldVersion = minorVersion === '0';
    if (this.isOldVersion) this.isPersistent = false;
    this.part = 'fields';
  }

  private takeField(line: string): void {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    if (name === undefined) throw new HttpResponseError('a header is not valid');
    switch (name.toLowerCase()) {
      case 'content-length':
        if (this.contentLength !== undefined || !/^\d+ *$/.test(value)) {
          throw new HttpResponseError('its content-length is not valid');
        }
        this.contentLength = Number(value);
        break;
      case 'transfer-encoding':
        // The request allows no other encoding, and HTTP 1.0 has none.
        if (this.transferEncoding !== undefined || this.isOldVersion || !/^chunked *$/i.test(value)) {
          throw new HttpResponseError('its transfer-encoding is not valid');
        }
        this.transferEncoding = value;
        break;
      case 'connection':
        if (/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(value)) this.isPersistent = false;
        break;
      case 'date':
        this.date ??= value.trimEnd();
    }
  }

  /** After the head: finds where the body ends. */
  private endHead(): void {
    const { status, contentLength, transferEncoding } = this;
    if (transferEncoding !== undefined && contentLength !== undefined) {
      throw new HttpResponseError('it has both a content-length and a transfer-encoding');
    }
    if (status < 200) this.expectFinal();
    else if (status === 204 || status === 304 || contentLength === 0) this.part = 'nothing';
    else if (transferEncoding !== undefined) {
      this.part = 'chunk size';
      this.headBytes = 0;
    } else if (contentLength !== undefined) {
      this.left = contentLength;
      this.part = 'body';
    } else {
      this.isPersistent = false;
      this.part = 'rest';
    }
  }

  /** After an interim response: its head counts for the limit, so that their number is limited. */
  private expectFinal(): void {
    if (this.status === 101) throw new HttpResponseError('it switches to another protocol');
    this.date = undefined;
    this.contentLength = undefined;
    this.transferEncoding = undefined;
    this.part = 'status line';
  }

  private takeChunkSize(line: string): void {
    const [, size] = CHUNK_LINE.exec(line) ?? [];
    if (size === undefined) throw new HttpResponseError('the size of a chunk is not valid');
    this.left = Number.parseInt(size, 16);
    this.headBytes = 0;
    this.part = this.left === 0 ? 'trailers' : 'chunk';
  }
}
