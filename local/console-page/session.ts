/** The token that requests carry. It is kept for this tab only, and ends with it. */
const KEY = 'token';

type State = 'accepted' | 'missing' | 'refused';
let state: State = 'accepted';
const listeners = new Set<() => void>();

function change(next: State): void {
  state = next;
  for (const each of listeners) each();
}

export const session = {
  token: (): string | undefined => sessionStorage.getItem(KEY) ?? undefined,
  /** `missing` and `refused` mean that no request can succeed before a token is given. */
  state: (): State => state,
  /** The server refused a request's token, or that it had none. */
  refused(): void {
    const next = session.token() === undefined ? 'missing' : 'refused';
    if (state !== next) change(next);
  },
  give(token: string): void {
    sessionStorage.setItem(KEY, token);
    change('accepted');
  },
  /** Returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
