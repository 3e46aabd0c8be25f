/** The anchors of a page's headings. Source: "Section links" in GitHub's documentation. */
export function anchorsIn(markdown: string): string[] {
  const titles = markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm);
  return [...titles].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
