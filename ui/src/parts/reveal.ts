// A row of links or tabs that may be wider than the screen: it is scrolled to the current one, and fades out where it
// goes on. `.rolls` in controls.css draws that.

export function reveal(row: HTMLElement): () => void {
  const look = () => {
    const rest = row.scrollWidth - row.clientWidth - row.scrollLeft;
    row.classList.toggle('before', row.scrollLeft > 1);
    row.classList.toggle('after', rest > 1);
  };
  const centre = () => {
    const current = row.querySelector<HTMLElement>('[aria-current], [aria-selected=true]');
    if (current) row.scrollLeft += current.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - current.offsetWidth) / 2;
    look();
  };
  // The first call comes when the row is laid out.
  const size = new ResizeObserver(centre);
  size.observe(row);
  const change = new MutationObserver(centre);
  change.observe(row, { childList: true, subtree: true, attributeFilter: ['aria-current', 'aria-selected'] });
  row.classList.add('rolls');
  row.addEventListener('scroll', look, { passive: true });
  return () => {
    size.disconnect();
    change.disconnect();
    row.removeEventListener('scroll', look);
  };
}
