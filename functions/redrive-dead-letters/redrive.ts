/**
 * Replays the letters of a dead letter queue, each once a run. A letter is deleted after its replay succeeded, or once it lies
 * somewhere else: back in the queue with the reason, or in the parking queue after too many tries.
 */
import type { RedriveBounds } from 'shared/config';
import { isPermanent } from 'shared/errors';
import type { Logger } from 'shared/logger';
import { type Clock, systemClock } from 'shared/resilience/clock';
import { Pacer } from 'shared/resilience/pacer';
import { type Content, type DeadLetter, type LetterRules, readLetter } from './letter';
import { type Replayable, type ReplayTargets, replay, UnreplayableError } from './replay';

/** Letters under way at a time. */
const CONCURRENT_LETTERS = 4;
/** What so many letters in a row fail at is away, and no letter's own fault: the run ends before it uses up the tries of all. */
const MOST_FAILURES_IN_A_ROW = 10;
/** At the start of a run even a replay is begun that may take longer than the run: its function has no less time than the run. */
const START_MS = 30_000;

export interface LetterQueue<Letter extends DeadLetter = DeadLetter> {
  /** A letter, which nobody else is given while it is replayed; undefined where there is none. */
  receive(): Promise<Letter | undefined>;
  delete(letter: Letter): Promise<void>;
  /** Sends the letter to this queue again, to be received after this run. */
  putBack(letter: Letter, reason: string): Promise<void>;
  /** Sends the letter to the parking queue. */
  park(letter: Letter, reason: string): Promise<void>;
  /** Gives a letter back as it is. */
  release(letter: Letter): Promise<void>;
}

export interface RedriveServices<Letter extends DeadLetter = DeadLetter> {
  readonly queue: LetterQueue<Letter>;
  readonly targets: ReplayTargets;
  /** Of the workflow; undefined where there is none. */
  readonly stateMachineArn: string | undefined;
  /** Whether `queue` is the parking queue. */
  readonly fromParking: boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
}

type Kinds = Record<Content['kind'], number>;

export interface RedriveSummary {
  readonly letters: number;
  readonly kinds: Readonly<Kinds>;
  readonly replayed: number;
  readonly putBack: number;
  readonly parked: number;
  /** Letters that are where they were: not begun for lack of time, cut off by the run's end, or impossible to move or delete. */
  readonly left: number;
  /** Why the run ended: no letter was left, or what came first. */
  readonly ended: 'empty' | 'letters' | 'time' | 'failures';
}

/** The time of a run. */
export interface RunTime {
  /** Aborts when it is over: replays under way are cut off, and no further one begins. */
  readonly signal: AbortSignal;
  /** What is left of it, in ms. */
  msLeft(): number;
}

/** @throws where no letter can be received */
export async function redrive<Letter extends DeadLetter>(
  bounds: RedriveBounds,
  services: RedriveServices<Letter>,
  time: RunTime,
): Promise<RedriveSummary> {
  const run = new Run(bounds, services, time);
  const workers = await Promise.allSettled(Array.from({ length: CONCURRENT_LETTERS }, () => run.work()));
  await run.release();
  const failed = workers.find((worker) => worker.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return run.summary;
}

/**
 * Looks at the letters, as many as a run takes, and leaves them where they are.
 * @param signal ends it early
 * @throws where none can be received
 */
export async function survey<Letter extends DeadLetter>(
  { maxLetters, maxTries }: RedriveBounds,
  { queue, stateMachineArn, fromParking }: Pick<RedriveServices<Letter>, 'queue' | 'stateMachineArn' | 'fromParking'>,
  signal: AbortSignal,
): Promise<Pick<RedriveSummary, 'letters' | 'kinds'>> {
  const kinds = noKinds();
  const rules = { stateMachineArn, maxTries, fromParking };
  const held: Letter[] = [];
  try {
    while (held.length < maxLetters && !signal.aborted) {
      const letter = await queue.receive();
      if (letter === undefined) break;
      kinds[readLetter(letter, rules).kind]++;
      held.push(withoutText(letter));
    }
  } finally {
    await Promise.all(held.map((letter) => queue.release(letter)));
  }
  return { letters: held.length, kinds };
}

/** Texts of up to 1 MB each may be more together than memory holds. */
const withoutText = <Letter extends DeadLetter>(letter: Letter): Letter => ({ ...letter, body: '' });

const noKinds = (): Kinds => ({ write: 0, object: 0, load: 0, unreplayable: 0 });

class Run<Letter extends DeadLetter> {
  readonly summary = {
    letters: 0,
    kinds: noKinds(),
    replayed: 0,
    putBack: 0,
    parked: 0,
    left: 0,
    ended: 'empty' as RedriveSummary['ended'],
  };
  private readonly pacer: Pacer;
  private readonly rules: LetterRules;
  private readonly msAtStart: number;
  /** Letters whose replay may take longer than what is left of the run. */
  private readonly tooLong: Letter[] = [];
  private taken = 0;
  private failuresInARow = 0;

  constructor(
    private readonly bounds: RedriveBounds,
    private readonly services: RedriveServices<Letter>,
    private readonly time: RunTime,
  ) {
    const { stateMachineArn, fromParking, clock = systemClock } = services;
    this.pacer = new Pacer(1_000 / bounds.lettersPerSecond, clock);
    this.rules = { stateMachineArn, maxTries: bounds.maxTries, fromParking };
    this.msAtStart = time.msLeft();
  }

  async work(): Promise<void> {
    for (;;) {
      await this.pacer.turn(this.time.signal);
      const end = this.end();
      if (end !== undefined) {
        this.summary.ended = end;
        return;
      }
      // Taken before it is received, as the others look at the count meanwhile.
      this.taken++;
      const letter = await this.services.queue.receive();
      if (letter === undefined) {
        this.taken--;
        // The others may have ended for this one, which is none.
        if (this.summary.ended === 'letters') this.summary.ended = 'empty';
        return;
      }
      await this.settle(letter);
    }
  }

  private end(): RedriveSummary['ended'] | undefined {
    if (this.time.signal.aborted) return 'time';
    if (this.failuresInARow >= MOST_FAILURES_IN_A_ROW) return 'failures';
    return this.taken >= this.bounds.maxLetters ? 'letters' : undefined;
  }

  /** Gives back what the run had no time for, which it would otherwise have received again and again. */
  async release(): Promise<void> {
    await Promise.allSettled(this.tooLong.map((letter) => this.services.queue.release(letter)));
  }

  private async settle(letter: Letter): Promise<void> {
    const { queue, targets, logger } = this.services;
    const content = readLetter(letter, this.rules);
    this.summary.letters++;
    this.summary.kinds[content.kind]++;
    try {
      if (content.kind === 'unreplayable') return await this.park(letter, content.reason);
      if (!this.hasTimeFor(content)) {
        this.summary.left++;
        this.tooLong.push(withoutText(letter));
        return;
      }
      const failure = await failureOf(replay(content, targets, this.time.signal));
      if (failure === undefined) {
        this.failuresInARow = 0;
        await queue.delete(letter);
        this.summary.replayed++;
        return;
      }
      if (this.time.signal.aborted) {
        // No try of its own: what was invoked goes on, and may succeed. Until it has ended, nobody else is given the letter.
        this.summary.left++;
        return;
      }
      if (failure instanceof UnreplayableError) return await this.park(letter, failure.message);
      this.failuresInARow++;
      const reason = `${failure.name}: ${failure.message}`;
      const tried = { ...letter, tries: letter.tries + 1 };
      if (isPermanent(failure.name) || tried.tries >= this.bounds.maxTries) return await this.park(tried, reason);
      logger.warn('a letter was put back', { kind: content.kind, tries: tried.tries, reason });
      await queue.putBack(tried, reason);
      await queue.delete(letter);
      this.summary.putBack++;
    } catch (error) {
      // The letter is where it was, whether or not it was replayed or lies elsewhere too. Replaying it once more changes nothing.
      this.summary.left++;
      logger.error('a letter could not be moved or deleted', { error });
    }
  }

  /** Whether its function would end before the run does, or there is no more time in any run. */
  private hasTimeFor({ kind }: Replayable): boolean {
    const { write, object } = this.bounds.timeoutsMs;
    const needed = { write, object, load: 0 }[kind];
    return this.time.msLeft() >= Math.min(needed, this.msAtStart - START_MS);
  }

  private async park(letter: Letter, reason: string): Promise<void> {
    const { queue, logger } = this.services;
    logger.warn('a letter was parked', { tries: letter.tries, reason });
    await queue.park(letter, reason);
    await queue.delete(letter);
    this.summary.parked++;
  }
}

/** Why it failed; undefined where it did not. */
function failureOf(promise: Promise<unknown>): Promise<Error | undefined> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
  );
}
