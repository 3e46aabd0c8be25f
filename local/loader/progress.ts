/** Shows the progress of a load: a bar on a terminal, otherwise a line every few seconds. */
import { grouped } from 'shared/count-text';

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_MS = 200;
const LINE_MS = 5000;
const WIDTH = 30;
/** The remaining time is shown only after this time (ms) and share of the load, because the rate at the start is too low. */
const ESTIMATE_MS = 3000;
const ESTIMATE_SHARE = 0.02;
const CLEAR_LINE = '\r\u001b[K';

export interface ProgressOptions {
  /** The unit of the counts. */
  readonly unit: 'rows' | 'items';
  /** ms */
  readonly now?: () => number;
}

export class Progress {
  private total = 0;
  private done = 0;
  private shown = Number.NEGATIVE_INFINITY;
  private readonly start: number;
  private detail = '';

  private readonly unit: string;
  private readonly now: () => number;

  constructor(
    private readonly output: Output,
    { unit, now = () => performance.now() }: ProgressOptions,
  ) {
    this.unit = unit;
    this.now = now;
    this.start = now();
  }

  addTotal(amount: number): void {
    this.total += amount;
  }

  add(amount: number): void {
    this.done += amount;
    const now = this.now();
    if (this.total === 0 || now - this.shown < (this.output.isTTY ? BAR_MS : LINE_MS)) return;
    this.shown = now;
    this.show();
  }

  /** Sets a text that is shown after the counts, such as the points of a load that is followed. */
  setDetail(text: string): void {
    this.detail = text === '' ? '' : `; ${text}`;
  }

  /** Prints a message above the bar. */
  note(message: string): void {
    this.output.write(`${this.output.isTTY ? CLEAR_LINE : ''}${message}\n`);
  }

  /** Shows the final state and ends the line. Shows nothing if the load ended before its total was known. */
  end(): void {
    if (this.total === 0) return;
    this.show();
    if (this.output.isTTY) this.output.write('\n');
  }

  private show(): void {
    const seconds = (this.now() - this.start) / 1000;
    const rate = seconds > 0 ? this.done / seconds : 0;
    const share = this.total > 0 ? Math.min(1, this.done / this.total) : 1;
    const isSteady = seconds * 1000 >= ESTIMATE_MS && share >= ESTIMATE_SHARE;
    const left = rate > 0 && isSteady ? ` ${time((this.total - this.done) / rate)} left` : '';
    const rows = `${grouped(this.done)} of ${grouped(this.total)} ${this.unit}, ${grouped(rate)}/s`;
    const text = `${Math.floor(share * 100)}% ${rows}${share < 1 ? left : ` in ${time(seconds)}`}${this.detail}`;
    if (!this.output.isTTY) this.output.write(`${text}\n`);
    else this.output.write(`${CLEAR_LINE}[${'='.repeat(Math.round(share * WIDTH)).padEnd(WIDTH)}] ${text}`);
  }
}

function time(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
