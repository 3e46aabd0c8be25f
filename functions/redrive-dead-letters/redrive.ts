/**
 * Replays the letters of a dead letter queue, each once a run. A letter is deleted after its replay succeeded, or once it lies
 * somewhere else: back in the queue with the reason, or in the parking queue after too many tries.
 */
import type { RedriveBounds } from 'shared/config';
import type { Logger } from 'shared/logger';
import { type Clock, systemClock } from 'shared/resilience/clock';
import { Pacer } from 'shared/resilience/pacer';
import { type Content, type DeadLetter, readLetter } from './letter';
import { type ReplayTargets, replay } from './replay';

/** Letters under way at a time. */
const CONCURRENT_LETTERS = 4;
/** What so many letters in a row fail at is away, and no letter's own fault: the run ends before it uses up the tries of all. */
const MOST_FAILURES_IN_A_ROW = 10;

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
  /** Letters that could not be moved or deleted: they come again by themselves. */
  readonly left: number;
  /** Why the run ended: no letter was left, or what came first. */
  readonly ended: 'empty' | 'letters' | 'time' | 'failures';
}

/**
 * @param signal aborts when the time of the run is over: replays under way then fail, and no further one begins
 * @throws where no letter can be received
 */
export async function redrive<Letter extends DeadLetter>(
  bounds: RedriveBounds,
  services: RedriveServices<Letter>,
  signal: AbortSignal,
): Promise<RedriveSummary> {
  const run = new Run(bounds, services, signal);
  const workers = await Promise.allSettled(Array.from({ length: CONCURRENT_LETTERS }, () => run.work()));
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
  { queue, stateMachineArn }: Pick<RedriveServices<Letter>, 'queue' | 'stateMachineArn'>,
  signal: AbortSignal,
): Promise<Pick<RedriveSummary, 'letters' | 'kinds'>> {
  const kinds = noKinds();
  const held: Letter[] = [];
  try {
    while (held.length < maxLetters && !signal.aborted) {
      const letter = await queue.receive();
      if (letter === undefined) break;
      kinds[readLetter(letter, stateMachineArn, maxTries).kind]++;
      // Without their texts, of up to 1 MB each, which all together may be more than memory holds.
      held.push({ ...letter, body: '' });
    }
  } finally {
    await Promise.all(held.map((letter) => queue.release(letter)));
  }
  return { letters: held.length, kinds };
}

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
  private taken = 0;
  private failuresInARow = 0;

  constructor(
    private readonly bounds: RedriveBounds,
    private readonly services: RedriveServices<Letter>,
    private readonly signal: AbortSignal,
  ) {
    this.pacer = new Pacer(1_000 / bounds.lettersPerSecond, services.clock ?? systemClock);
  }

  async work(): Promise<void> {
    for (;;) {
      await this.pacer.turn(this.signal);
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
    if (this.signal.aborted) return 'time';
    if (this.failuresInARow >= MOST_FAILURES_IN_A_ROW) return 'failures';
    return this.taken >= this.bounds.maxLetters ? 'letters' : undefined;
  }

  private async settle(letter: Letter): Promise<void> {
    const { queue, targets, logger, stateMachineArn } = this.services;
    const { maxTries } = this.bounds;
    const content = readLetter(letter, stateMachineArn, maxTries);
    this.summary.letters++;
    this.summary.kinds[content.kind]++;
    try {
      if (content.kind === 'unreplayable') return await this.park(letter, content.reason);
      const reason = await failureOf(replay(content, targets, this.signal));
      if (reason === undefined) {
        this.failuresInARow = 0;
        await queue.delete(letter);
        this.summary.replayed++;
        return;
      }
      this.failuresInARow++;
      const tried = { ...letter, tries: letter.tries + 1 };
      if (tried.tries >= maxTries) return await this.park(tried, reason);
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

  private async park(letter: Letter, reason: string): Promise<void> {
    const { queue, logger } = this.services;
    logger.warn('a letter was parked', { tries: letter.tries, reason });
    await queue.park(letter, reason);
    await queue.delete(letter);
    this.summary.parked++;
  }
}

/** Why it failed; undefined where it did not. */
function failureOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );
}
