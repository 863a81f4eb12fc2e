// A row of links that a narrow screen cuts off, scrolled to the one that is shown.

export function reveal(row: HTMLElement): void {
  const link = row.querySelector<HTMLElement>('[aria-current]');
  if (link) row.scrollLeft += link.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - link.offsetWidth) / 2;
}
