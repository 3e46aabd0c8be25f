/** One call of the write function in the simulation of two destinations, and the lines that it stored or kept. */
import { gunzipSync } from 'node:zlib';
import type { DestinationName } from 'shared/destination-config';
import type { LogFields } from 'shared/logger';
import type { DeadLetter } from '../../functions/write-line-protocol/dead-letters';

export type Mode = 'timestream' | 'both' | 'influxdb';

export class Invocation {
  readonly stored: Readonly<Record<DestinationName, Set<string>>> = { timestream: new Set(), influxdb: new Set() };
  /** The numbers of the lines that InfluxDB received, or that were kept for it. */
  readonly forInfluxDB = new Set<number>();
  readonly kept: DeadLetter[] = [];
  /** The lines in the bucket for rejected lines. */
  readonly keptInBucket: string[] = [];
  /** The entry `write` of the log. */
  log: LogFields | undefined;
  hasEnded = false;
  private inProgress = 0;

  /** @param violations receives what must not happen; the function would take an error of a call for a fault */
  constructor(
    readonly mode: Mode,
    readonly started: number,
    private readonly violations: string[],
  ) {}

  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.hasEnded) this.violations.push(`a call to ${what} was made after the end of the invocation`);
    this.inProgress++;
    try {
      return await work();
    } finally {
      this.inProgress--;
    }
  }

  noteEnd(): void {
    this.hasEnded = true;
    // What the signal of the deadline ends may settle in the same turn.
    setImmediate(() => {
      if (this.inProgress > 0) this.violations.push('a call is in progress after the end of the invocation');
    });
  }
}

/** The lines of an object in the bucket for rejected lines. */
export const linesIn = (file: Uint8Array): string[] =>
  gunzipSync(file)
    .toString()
    .split('\n')
    .filter((line) => line !== '');

/** The numbers of the lines in a message. */
export function numbersIn({ body, isBase64Encoded }: DeadLetter): number[] {
  const raw = Buffer.from(String(body), isBase64Encoded === true ? 'base64' : 'utf8');
  const text = (isBase64Encoded === true ? gunzipSync(raw) : raw).toString();
  return numbersInText(text);
}

/** A line has its number as the tag s, or as the field n. */
export const numbersInText = (text: string): number[] => [...text.matchAll(/\b[sn]=(\d+)/g)].map(([, n]) => Number(n));
