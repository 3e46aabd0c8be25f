/** Asks for the token of a server that was started with --token. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { session } from './session';

export function TokenDialog({ wasRefused }: { readonly wasRefused: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [token, setToken] = useState('');
  useEffect(() => dialog.current?.showModal(), []);

  function submit(event: Event): void {
    event.preventDefault();
    if (token.trim() !== '') session.give(token.trim());
  }
  return (
    <dialog ref={dialog} aria-labelledby="token-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="token-title">Token</h2>
        <p>
          The server was started with <code>--token</code>. Enter one of its tokens. It is kept in this tab only.
        </p>
        {wasRefused && (
          <p class="error" role="alert">
            The server did not accept this token.
          </p>
        )}
        <label>
          Token
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Continue
        </button>
      </form>
    </dialog>
  );
}
