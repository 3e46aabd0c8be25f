/** Reads settings from environment variables and collects all problems. */
import { ConfigurationError } from './errors';
import type { LogLevel } from './logger';

export type Environment = Readonly<Record<string, string | undefined>>;

export const LOG_LEVELS: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];

/** Called with the name of each variable and its default, if it has one. The command line lists its settings with it. */
export type ObserveSetting = (name: string, fallback: string | number | boolean | undefined) => void;

export class EnvironmentReader {
  private readonly problems: string[] = [];

  constructor(
    private readonly environment: Environment,
    private readonly observe: ObserveSetting = () => undefined,
  ) {}

  /** A text of at least one character; undefined if the variable is not set. */
  optional(name: string, fallback?: string | number | boolean): string | undefined {
    this.observe(name, fallback);
    const value = this.given(name);
    if (value !== undefined && value.trim() === '') {
      this.problem(name, 'is empty: give it a value or leave it unset');
      return undefined;
    }
    return value;
  }

  text(name: string, fallback: string): string {
    return this.optional(name, fallback) ?? fallback;
  }

  /** A mandatory text. If it is missing, records a problem and returns ''. */
  required(name: string): string {
    if (this.given(name) === undefined) this.problem(name, 'is missing');
    return this.optional(name) ?? '';
  }

  /** A whole number within the bounds. */
  integer(name: string, fallback: number, bounds: { min: number; max: number }): number {
    const value = this.optional(name, fallback);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < bounds.min || number > bounds.max) {
      this.problem(name, `must be a whole number from ${bounds.min} to ${bounds.max}, not '${value}'`);
    }
    return number;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.optional(name, fallback)?.toLowerCase();
    if (value !== undefined && value !== 'true' && value !== 'false') {
      this.problem(name, `must be true or false, not '${value}'`);
    }
    return value === undefined ? fallback : value === 'true';
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.optional(name, fallback);
    const choice = choices.find((each) => each === value);
    if (value !== undefined && choice === undefined) {
      this.problem(name, `must be one of ${choices.join(', ')}, not '${value}'`);
    }
    return choice ?? fallback;
  }

  /** The value of a variable. `sam local` cannot resolve AWS::NoValue and sets such variables to '': these count as not set. */
  private given(name: string): string | undefined {
    const value = this.environment[name];
    return value === '' && this.environment.AWS_SAM_LOCAL === 'true' ? undefined : value;
  }

  problem(name: string, what: string): void {
    this.problems.push(`${name} ${what}`);
  }

  /** @throws ConfigurationError that lists every problem found so far */
  check(): void {
    if (this.problems.length > 0) throw new ConfigurationError(this.problems);
  }
}
