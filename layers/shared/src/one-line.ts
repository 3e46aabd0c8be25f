/** Writes control characters in names and values of outside data as escapes, so that a message stays on its line: `a\nb`. */
export const oneLine = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
