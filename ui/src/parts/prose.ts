// What the server made of somebody's Markdown, made fit for a page of ours.
//
// The server has escaped all markup that was in the text. Here the document is read without running or loading
// anything in it, its headings are put below those of the page, pictures from elsewhere become links (this site asks
// no other), and whatever has no business in prose is dropped, should the server ever let it through.

const ALLOWED = new Set([
  'A', 'BLOCKQUOTE', 'BR', 'CODE', 'DEL', 'DIV', 'EM', 'H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'HR', 'IMG', 'INPUT', 'LI', 'OL',
  'P', 'PRE', 'S', 'STRONG', 'SUB', 'SUP', 'TABLE', 'TBODY', 'TD', 'TH', 'THEAD', 'TR', 'UL',
]);
const ATTRIBUTES: Record<string, string[]> = { A: ['href', 'title'], IMG: ['src', 'alt', 'title'], OL: ['start'], INPUT: ['type', 'checked', 'disabled'] };

export function prose(html: string, headings: number): DocumentFragment {
  const parsed = new DOMParser().parseFromString(html, 'text/html');
  const out = document.createDocumentFragment();
  for (const child of parsed.body.childNodes) append(out, child, headings);
  return out;
}

function append(to: Node, from: Node, headings: number): void {
  if (from.nodeType === Node.TEXT_NODE) {
    to.appendChild(document.createTextNode(from.nodeValue ?? ''));
    return;
  }
  if (!(from instanceof Element)) return;
  if (!ALLOWED.has(from.tagName)) {
    to.appendChild(document.createTextNode(from.textContent ?? ''));
    return;
  }
  if (from.tagName === 'IMG') {
    to.appendChild(picture(from));
    return;
  }
  const level = /^H([1-6])$/.exec(from.tagName)?.[1];
  const element = document.createElement(level ? `h${Math.min(6, Number(level) + headings)}` : from.tagName);
  for (const name of ATTRIBUTES[from.tagName] ?? []) {
    const value = from.getAttribute(name);
    if (value !== null && (name !== 'href' || leadsSomewhere(value))) element.setAttribute(name, value);
  }
  if (element instanceof HTMLAnchorElement && element.origin !== location.origin) element.rel = 'noopener noreferrer nofollow';
  if (element instanceof HTMLInputElement) {
    element.type = 'checkbox';
    element.disabled = true;
    element.setAttribute('aria-label', from.hasAttribute('checked') ? 'done' : 'open');
  }
  if (element.tagName === 'PRE') element.tabIndex = 0;
  // Text of either direction stays in its place and turns nothing else around.
  if (['P', 'LI', 'TD', 'TH', 'BLOCKQUOTE'].includes(element.tagName) || level) element.dir = 'auto';
  for (const child of from.childNodes) append(element, child, headings);
  if (element.tagName === 'TABLE') {
    const box = document.createElement('div');
    box.className = 'scroll';
    box.tabIndex = 0;
    box.append(element);
    to.appendChild(box);
    return;
  }
  to.appendChild(element);
}

function leadsSomewhere(address: string): boolean {
  try {
    return ['http:', 'https:', 'mailto:'].includes(new URL(address, location.href).protocol);
  } catch {
    return false;
  }
}

function picture(from: Element): Node {
  const source = from.getAttribute('src') ?? '';
  const alt = from.getAttribute('alt') ?? '';
  let address: URL;
  try {
    address = new URL(source, location.href);
  } catch {
    return document.createTextNode(alt);
  }
  if (address.protocol !== 'http:' && address.protocol !== 'https:') return document.createTextNode(alt);
  if (source === '#' || source === '') return document.createTextNode(alt);
  const link = document.createElement('a');
  link.href = address.href;
  link.rel = 'noopener noreferrer nofollow';
  link.textContent = alt || address.href;
  return link;
}
