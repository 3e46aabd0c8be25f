/**
 * Replays the messages of a dead-letter queue, each once per run. A message is deleted after its replay succeeded, or after it was moved: back
 * into the queue with the reason, or into the parking queue after too many tries.
 */

import { isPermanent } from 'shared/errors';
import type { Logger } from 'shared/logger';
import type { RedriveBounds } from 'shared/redrive-config';
import { type Clock, systemClock } from 'shared/resilience/clock';
import { Pacer } from 'shared/resilience/pacer';
import { type Content, type DeadLetterMessage, type MessageRules, readMessage } from './message';
import { type Replayable, type ReplayTargets, replay, UnreplayableError } from './replay';

/** Messages that are replayed at the same time. */
const CONCURRENT_MESSAGES = 4;
/** After this many consecutive failures the target is assumed to be down. The run stops, so that it does not use up every message's tries. */
const MOST_FAILURES_IN_A_ROW = 10;
/** In this time even replays start that may outlast the run: their function may run as long as the run itself. */
const START_MS = 30_000;

export interface MessageQueue<Message extends DeadLetterMessage = DeadLetterMessage> {
  /** A message, which no other receiver gets during its replay; undefined if the queue is empty. */
  receive(): Promise<Message | undefined>;
  delete(message: Message): Promise<void>;
  /** Sends the message to this queue again; it is received after this run. */
  putBack(message: Message, reason: string): Promise<void>;
  /** Sends the message to the parking queue. */
  park(message: Message, reason: string): Promise<void>;
  /** Makes the message available again without a change. */
  release(message: Message): Promise<void>;
}

export interface RedriveServices<Message extends DeadLetterMessage = DeadLetterMessage> {
  readonly queue: MessageQueue<Message>;
  readonly targets: ReplayTargets;
  /** ARN of the loader's workflow; undefined without a loader. */
  readonly stateMachineArn: string | undefined;
  /** ARN of the migration's workflow; undefined without a migration. */
  readonly migrationArn?: string | undefined;
  /** Whether `queue` is the parking queue. */
  readonly fromParking: boolean;
  /** Whether the stack may have a loader without a target here. Then the loader's messages are left in the queue; otherwise their replay fails. */
  readonly mayHaveLoader?: boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
}

type Kinds = Record<Content['kind'], number>;

export interface RedriveSummary {
  readonly messages: number;
  readonly kinds: Readonly<Kinds>;
  readonly replayed: number;
  readonly putBack: number;
  readonly parked: number;
  /**
   * Messages that stayed in the queue: no time was left, the run ended during the replay, their target is not configured, or they could not
   * be moved or deleted.
   */
  readonly left: number;
  /** Why the run ended: the queue was empty, or the limit that was reached first. */
  readonly ended: 'empty' | 'messages' | 'time' | 'failures';
}

/** The time limit of a run. */
export interface RunTime {
  /** Aborts at the end: replays in progress are cut off, and no other starts. */
  readonly signal: AbortSignal;
  /** Remaining time, ms. */
  msLeft(): number;
}

/** @throws if no message can be received */
export async function redrive<Message extends DeadLetterMessage>(
  bounds: RedriveBounds,
  services: RedriveServices<Message>,
  time: RunTime,
): Promise<RedriveSummary> {
  const run = new Run(bounds, services, time);
  const workers = await Promise.allSettled(Array.from({ length: CONCURRENT_MESSAGES }, () => run.work()));
  await run.release();
  const failed = workers.find((worker) => worker.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return run.summary;
}

/**
 * Counts the messages that a run would replay, and leaves them in the queue.
 * @param signal ends it early
 * @throws if no message can be received
 */
export async function survey<Message extends DeadLetterMessage>(
  { maxMessages, maxTries }: RedriveBounds,
  services: Pick<
    RedriveServices<Message>,
    'queue' | 'stateMachineArn' | 'migrationArn' | 'fromParking' | 'mayHaveLoader'
  >,
  signal: AbortSignal,
): Promise<Pick<RedriveSummary, 'messages' | 'kinds'>> {
  const { queue, stateMachineArn, migrationArn, fromParking, mayHaveLoader = false } = services;
  const kinds = noKinds();
  const rules = { stateMachineArn, migrationArn, maxTries, fromParking, mayHaveLoader };
  const held: Message[] = [];
  try {
    while (held.length < maxMessages && !signal.aborted) {
      const message = await queue.receive();
      if (message === undefined) break;
      kinds[readMessage(message, rules).kind]++;
      held.push(withoutText(message));
    }
  } finally {
    await Promise.all(held.map((message) => queue.release(message)));
  }
  return { messages: held.length, kinds };
}

/** Bodies of up to 1 MB each might exceed the memory. */
const withoutText = <Message extends DeadLetterMessage>(message: Message): Message => ({ ...message, body: '' });

const noKinds = (): Kinds => ({ write: 0, object: 0, load: 0, migration: 0, unreplayable: 0 });

class Run<Message extends DeadLetterMessage> {
  readonly summary = {
    messages: 0,
    kinds: noKinds(),
    replayed: 0,
    putBack: 0,
    parked: 0,
    left: 0,
    ended: 'empty' as RedriveSummary['ended'],
  };
  private readonly pacer: Pacer;
  private readonly rules: MessageRules;
  private readonly msAtStart: number;
  /** Messages to release at the end of the run: their replay might outlast it, or their target is not configured. */
  private readonly kept: Message[] = [];
  private taken = 0;
  private failuresInARow = 0;

  constructor(
    private readonly bounds: RedriveBounds,
    private readonly services: RedriveServices<Message>,
    private readonly time: RunTime,
  ) {
    const { stateMachineArn, migrationArn, fromParking, mayHaveLoader = false, clock = systemClock } = services;
    this.pacer = new Pacer(1_000 / bounds.messagesPerSecond, clock);
    this.rules = { stateMachineArn, migrationArn, maxTries: bounds.maxTries, fromParking, mayHaveLoader };
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
      // Counted before it is received, because the other workers read the count meanwhile.
      this.taken++;
      const message = await this.services.queue.receive();
      if (message === undefined) {
        this.taken--;
        // The others may have ended for this one, which is none.
        if (this.summary.ended === 'messages') this.summary.ended = 'empty';
        return;
      }
      await this.settle(message);
    }
  }

  private end(): RedriveSummary['ended'] | undefined {
    if (this.time.signal.aborted) return 'time';
    if (this.failuresInARow >= MOST_FAILURES_IN_A_ROW) return 'failures';
    return this.taken >= this.bounds.maxMessages ? 'messages' : undefined;
  }

  /** Gives back the messages that the run kept, which it would otherwise have received again and again. */
  async release(): Promise<void> {
    await Promise.allSettled(this.kept.map((message) => this.services.queue.release(message)));
  }

  private async settle(message: Message): Promise<void> {
    const { queue, targets, logger } = this.services;
    const content = readMessage(message, this.rules);
    this.summary.messages++;
    this.summary.kinds[content.kind]++;
    try {
      if (content.kind === 'unreplayable') return await this.park(message, content.reason, content.loggedReason);
      const missing = this.missingOption(content);
      if (missing !== undefined) {
        logger.warn('a message was left in the queue', { kind: content.kind, reason: `${missing} is not set` });
        return this.keep(message);
      }
      if (!this.hasTimeFor(content)) return this.keep(message);
      const failure = await failureOf(replay(content, targets, this.time.signal));
      if (failure === undefined) {
        this.failuresInARow = 0;
        await queue.delete(message);
        this.summary.replayed++;
        return;
      }
      if (this.time.signal.aborted) {
        // Not counted as a try: the invocation continues and may succeed. The message stays invisible until it has ended.
        this.summary.left++;
        return;
      }
      if (failure instanceof UnreplayableError) return await this.park(message, failure.message);
      const reason = `${failure.name}: ${failure.message}`;
      const tried = { ...message, tries: message.tries + 1 };
      if (isPermanent(failure.name)) {
        // The target works: the error is in the data or in the settings.
        this.failuresInARow = 0;
        return await this.park(tried, reason);
      }
      this.failuresInARow++;
      if (tried.tries >= this.bounds.maxTries) return await this.park(tried, reason);
      logger.warn('a message was put back', { kind: content.kind, tries: tried.tries, reason });
      await queue.putBack(tried, reason);
      await queue.delete(message);
      this.summary.putBack++;
    } catch (error) {
      // The message is still in the queue, even if it was replayed or copied. Replaying it again changes nothing.
      this.summary.left++;
      logger.error('a message could not be moved or deleted', { error });
    }
  }

  private keep(message: Message): void {
    this.summary.left++;
    this.kept.push(withoutText(message));
  }

  /** The settings of the target, if the stack may have a target that this run does not know. */
  private missingOption({ kind }: Replayable): string | undefined {
    const { targets, mayHaveLoader } = this.services;
    if (!mayHaveLoader) return undefined;
    if (kind === 'object' && targets.loadObject === undefined) return '--stack or --load-object-function';
    if (kind === 'migration' && targets.migrations === undefined) return '--stack or --migration-state-machine';
    return kind === 'load' && targets.loads === undefined ? '--stack or --state-machine' : undefined;
  }

  /** Whether its function ends before the run does, or no run has more time. */
  private hasTimeFor({ kind }: Replayable): boolean {
    const { write, object } = this.bounds.timeoutsMs;
    const needed = { write, object, load: 0, migration: 0 }[kind];
    return this.time.msLeft() >= Math.min(needed, this.msAtStart - START_MS);
  }

  private async park(message: Message, reason: string, loggedReason = reason): Promise<void> {
    const { queue, logger } = this.services;
    logger.warn('a message was parked', { tries: message.tries, reason: loggedReason });
    await queue.park(message, reason);
    await queue.delete(message);
    this.summary.parked++;
  }
}

/** Why the promise failed; undefined if it succeeded. */
function failureOf(promise: Promise<unknown>): Promise<Error | undefined> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
  );
}
