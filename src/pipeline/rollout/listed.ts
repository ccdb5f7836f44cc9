/** Devices that are named one by one, or whose logs are read. One cause often fails many. */
export const MOST_NAMED = 10;

/** The first ids of a list, and how many more there are. Pure. */
export function listed(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED;
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}
