const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** A size that a person can read, in powers of 1000: `512 B`, `3.1 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'TB'}`;
}

/** `1 device` or `2 devices`. `plural`: if it is not the noun with an s. Pure. */
export function amountOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Items that are named one by one in a message. One cause often fails many. */
export const MOST_NAMED = 10;

/** The first items of a list, and how many more there are. Pure. */
export function listed(items: readonly string[]): string {
  const more = items.length - MOST_NAMED;
  const named = items.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}
