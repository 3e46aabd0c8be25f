/** Writes text as a string literal of Flux, the query language of InfluxDB 2. */

/** Source: the Flux specification, "String literals" and "String interpolation". */
const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
  '${': '\\${',
};

/** The literal, including its quotes. */
export function fluxString(text: string): string {
  return `"${text.replace(/[\n\r\t"\\]|\$\{/g, (special) => ESCAPES[special] ?? special)}"`;
}
