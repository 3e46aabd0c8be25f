/** The statements that were run in this browser, the newest first. */
const KEY = 'history';
const MAX = 50;

export function readHistory(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

export function addToHistory(sql: string): string[] {
  const history = [sql, ...readHistory().filter((each) => each !== sql)].slice(0, MAX);
  try {
    localStorage.setItem(KEY, JSON.stringify(history));
  } catch {
    // Very long statements exceed what a browser stores; the old history stays.
  }
  return history;
}

export const clearHistory = (): void => localStorage.removeItem(KEY);
