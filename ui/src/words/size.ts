// Sizes and counts for people: MB with one decimal, numbers with separators.

const number = new Intl.NumberFormat('en');
const UNITS: [number, string][] = [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']];

export function size(bytes: number): string {
  for (const [unit, name] of UNITS) {
    // Rounding must not make 1000.0 kB.
    if (bytes >= unit * 0.99995) return `${(bytes / unit).toFixed(1)} ${name}`;
  }
  return `${bytes} B`;
}

export function count(value: number): string {
  return number.format(value);
}

/** What remains, in words that do not jump every second. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
