/** The page: its head, the chosen panel, and the question for a token. */
import { useEffect, useState } from 'preact/hooks';
import { Data } from './data';
import { OverviewPanel } from './overview';
import { hashOf, PANELS, type Panel, parseRoute } from './route';
import { session } from './session';
import { chooseTheme, chosenTheme, THEMES } from './theme';
import { TokenDialog } from './token-dialog';
import { Work } from './work';
import { Writes } from './writes';

const TITLES: Readonly<Record<Panel, string>> = {
  overview: 'Overview',
  data: 'Data',
  writes: 'Writes',
  work: 'Loads and migrations',
};

export function App() {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const [sessionState, setSessionState] = useState(session.state);
  const title = TITLES[route.panel];

  useEffect(() => {
    const follow = (): void => setRoute(parseRoute(location.hash));
    window.addEventListener('hashchange', follow);
    const unsubscribe = session.subscribe(() => setSessionState(session.state()));
    return () => {
      window.removeEventListener('hashchange', follow);
      unsubscribe();
    };
  }, []);
  useEffect(() => {
    document.title = `${title} - Timestream connector`;
  }, [title]);

  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('content')?.focus()}>
        Skip to content
      </button>
      <header class="head">
        <span class="product">InfluxDB Timestream connector</span>
        <nav aria-label="Panels">
          {PANELS.map((panel) => (
            <a key={panel} href={hashOf({ panel })} aria-current={panel === route.panel ? 'page' : undefined}>
              {TITLES[panel]}
            </a>
          ))}
        </nav>
        <ThemeChoice />
      </header>
      <main id="content" tabIndex={-1}>
        <h1 class="unseen">{title}</h1>
        {route.panel === 'overview' && <OverviewPanel />}
        {route.panel === 'data' && <Data route={route} />}
        {route.panel === 'writes' && <Writes />}
        {route.panel === 'work' && <Work />}
      </main>
      {sessionState !== 'accepted' && <TokenDialog wasRefused={sessionState === 'refused'} />}
    </>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState(chosenTheme);
  function choose(value: string): void {
    const chosen = THEMES.find((each) => each === value) ?? 'system';
    chooseTheme(chosen);
    setTheme(chosen);
  }
  return (
    <label class="theme">
      Theme
      <select value={theme} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
