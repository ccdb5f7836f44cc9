const DAY_MS = 24 * 3_600_000;
/** An entry that a run needs is stored again when it is older. */
const YOUNG_MS = 7 * DAY_MS;
/** Registries keep whole days, and clocks differ. */
const MOST_AHEAD_MS = 2 * DAY_MS;

/**
 * Returns the age of an entry in milliseconds: `Infinity` without a date, and with a date that is
 * days ahead, which would keep it for ever. Both arguments are milliseconds since 1970. Pure.
 */
export function ageOf(stored: number, now: number): number {
  return stored === 0 || stored > now + MOST_AHEAD_MS ? Infinity : now - stored;
}

/** True for an entry that was stored within the last week. Pure. */
export function isYoung(stored: number, now: number): boolean {
  return ageOf(stored, now) < YOUNG_MS;
}
