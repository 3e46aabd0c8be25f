/** Times as RFC 3339 text in quotes: `"2024-03-01T09:30:00.5Z"`. */
import { writePadded, writeText } from './digits';
import { copyText, type ReadyText, readyText } from './ready-text';

const QUOTE = 34;
const POINT = 46;
const COLON = 58;
const DAY = 86_400;
/** RFC 3339 has years of four digits. */
const FIRST = -62_167_219_200;
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

/** Whether a time has a year of four digits. */
export const isRfc3339 = (seconds: number): boolean => seconds >= FIRST && seconds <= LAST;

export class Rfc3339Writer {
  private day = Number.NaN;
  /** `"2024-03-01T` */
  private date: ReadyText = readyText('');

  /** Writes a time of a year from 0000 to 9999, with as many decimals as it needs. */
  write(out: DataView, at: number, seconds: number, nanos: number): number {
    const day = Math.floor(seconds / DAY);
    if (day !== this.day) {
      this.day = day;
      this.date = readyText(`"${new Date(day * DAY * 1000).toISOString().slice(0, 11)}`);
    }
    const rest = seconds - day * DAY;
    let end = copyText(out, at, this.date);
    end = writePadded(out, end, Math.floor(rest / 3600), 2);
    out.setUint8(end, COLON);
    end = writePadded(out, end + 1, Math.floor(rest / 60) % 60, 2);
    out.setUint8(end, COLON);
    end = writePadded(out, end + 1, rest % 60, 2);
    if (nanos > 0) {
      let [count, digits] = [nanos, 9];
      for (; count % 10 === 0; digits--) count /= 10;
      out.setUint8(end, POINT);
      end = writePadded(out, end + 1, count, digits);
    }
    end = writeText(out, end, 'Z');
    out.setUint8(end, QUOTE);
    return end + 1;
  }
}
