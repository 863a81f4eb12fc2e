// What a Markdown text says first, in plain words.

export const SUMMARY_CHARS_MAX = 200;

export function firstLine(markdown: string): string {
  let heading = '';
  for (const line of markdown.slice(0, 4000).split('\n')) {
    const text = plain(line);
    if (!text) continue;
    if (/^#{1,6}\s/.test(line)) {
      heading ||= text;
      continue;
    }
    return shorten(text);
  }
  return shorten(heading);
}

function plain(line: string): string {
  return line
    .replace(/^\s*(#{1,6}\s+|>\s?|[-*+]\s+|\d+[.)]\s+)/, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*_`~]{1,3}/g, '')
    .replace(/^[-=|:\s]+$/, '')
    .trim();
}

function shorten(text: string): string {
  return text.length > SUMMARY_CHARS_MAX ? `${text.slice(0, SUMMARY_CHARS_MAX - 1).trimEnd()}…` : text;
}
