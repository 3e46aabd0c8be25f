/** Dark and light: the system's setting, unless the user chose one. */
const KEY = 'theme';
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const chosenTheme = (): Theme => THEMES.find((each) => each === localStorage.getItem(KEY)) ?? 'system';

const isDark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
const changed = (): void => listeners.forEach((each) => void each());
isDark.addEventListener('change', changed);

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme();
  changed();
}

/** The style sheet has the colours of both themes and takes those of `color-scheme`. */
export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** For what CSS does not reach, such as a canvas. Returns a function that ends the subscription. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
