/** Counts for a report: invalid rows by reason with their first examples, and warnings by value. */
import { own } from '../own';
import {
  EXAMPLES,
  type InvalidExample,
  type InvalidReason,
  type InvalidRows,
  WARNED_VALUES,
  type Warning,
} from './report';

export class Tally {
  private readonly faults = new Map<
    string,
    { reason: InvalidReason; column: string; count: number; examples: InvalidExample[] }
  >();
  private readonly warned = new Map<string, Warning>();
  private readonly warnedValues = new Map<string, number>();
  readonly present: Record<string, number> = {};

  /** Counts an invalid row; `value` is called only if the row becomes an example. */
  reject(reason: InvalidReason, column: string, row: number, value: () => string | null): void {
    const name = `${reason} ${column}`;
    const fault = this.faults.get(name) ?? { reason, column, count: 0, examples: [] };
    this.faults.set(name, fault);
    fault.count++;
    if (fault.examples.length < EXAMPLES) fault.examples.push({ row, value: value() });
  }

  /** Counts a warning by value. After WARNED_VALUES values of a column, its other values are counted together. */
  warn(kind: Warning['kind'], column: string, value: string | undefined, count: number): void {
    const group = `${kind} ${column}`;
    const values = this.warnedValues.get(group) ?? 0;
    const exact = `${group} ${value ?? ''}`;
    const isListed = value !== undefined && (this.warned.has(exact) || values < WARNED_VALUES);
    const name = isListed ? exact : group;
    const known = this.warned.get(name);
    if (!known && isListed) this.warnedValues.set(group, values + 1);
    this.warned.set(name, {
      kind,
      column,
      ...(isListed && { value }),
      count: (known?.count ?? 0) + count,
    });
  }

  addPresent(column: string, rows: number): void {
    this.present[column] = (own(this.present, column) ?? 0) + rows;
  }

  get invalid(): InvalidRows[] {
    return [...this.faults.values()];
  }

  get warnings(): Warning[] {
    return [...this.warned.values()];
  }
}
