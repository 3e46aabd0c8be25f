/** Repeats a request while the page is visible. */
import { useEffect, useState } from 'preact/hooks';
import { session } from './session';

export interface Polled<T> {
  /** The latest response; kept while requests fail. */
  readonly data?: T;
  /** Why the latest request failed. */
  readonly error?: string;
}

const EVERY_MS = 1_000;
const MAX_MS = 10_000;
/** A request that takes long is repeated less often, so that the page costs the server a twentieth of its time at most. */
const REST = 20;

/**
 * @param key a change of it starts anew with the new `load`, without the old data
 * @param isLive whether to repeat the request after this response; by default always
 */
export function usePoll<T>(load: () => Promise<T>, key: string, isLive = (_: T): boolean => true): Polled<T> {
  const [polled, setPolled] = useState<Polled<T> & { key?: string }>({});
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isWaiting = false;
    let ended = false;
    let isLast = false;

    async function poll(): Promise<void> {
      clearTimeout(timer);
      if (isWaiting || ended || isLast || document.hidden || session.state() !== 'accepted') return;
      isWaiting = true;
      const started = performance.now();
      try {
        const data = await load();
        isLast = !isLive(data);
        if (!ended) setPolled({ data, key });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!ended) setPolled((old) => ({ ...(old.key === key && old), error: message, key }));
      }
      isWaiting = false;
      if (ended || isLast) return;
      const rest = (performance.now() - started) * REST;
      timer = setTimeout(restart, Math.min(Math.max(rest, EVERY_MS), MAX_MS));
    }
    const restart = (): void => void poll();

    restart();
    document.addEventListener('visibilitychange', restart);
    const unsubscribe = session.subscribe(restart);
    return () => {
      ended = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', restart);
      unsubscribe();
    };
  }, [key]);
  return polled.key === key ? polled : {};
}
