/** Shows how far a load is: a bar that is drawn over on a terminal, a plain line now and then elsewhere. */

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_MS = 200;
const LINE_MS = 5000;
const WIDTH = 30;
/** Before so many ms, and so much of the whole, the rate is that of starting up. */
const ESTIMATE_MS = 3000;
const ESTIMATE_SHARE = 0.02;
const CLEAR_LINE = '\r\u001b[K';

export interface ProgressOptions {
  /** What is counted. */
  readonly unit: 'rows' | 'parts';
  /** ms */
  readonly now?: () => number;
}

export class Progress {
  private total = 0;
  private done = 0;
  private shown = Number.NEGATIVE_INFINITY;
  private readonly start: number;

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

  /** A message, above the bar. */
  note(message: string): void {
    this.output.write(`${this.output.isTTY ? CLEAR_LINE : ''}${message}\n`);
  }

  /** Shows the last state, and leaves the line; nothing of a load that ended before it knew its total. */
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
    const rows = `${count(this.done)} of ${count(this.total)} ${this.unit}, ${count(rate)}/s`;
    const text = `${Math.floor(share * 100)}% ${rows}${share < 1 ? left : ` in ${time(seconds)}`}`;
    if (!this.output.isTTY) this.output.write(`${text}\n`);
    else this.output.write(`${CLEAR_LINE}[${'='.repeat(Math.round(share * WIDTH)).padEnd(WIDTH)}] ${text}`);
  }
}

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

function time(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
