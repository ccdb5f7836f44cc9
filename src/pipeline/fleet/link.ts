import { UsageError } from '../../errors.ts';

const UNITS: Record<string, number> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/**
 * Bits per second of `100kbit`, `1.5Mbit` or `1Mbit/s`. Throws UsageError that names the option.
 */
export function parseRate(text: string, option: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?bit)(?:\/s)?$/i.exec(text.trim()) ?? [];
  const rate = Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (rate > 0) return rate;
  throw new UsageError(`${option} ${JSON.stringify(text)}: expected a rate like 100kbit or 1.5Mbit`);
}

/**
 * How often a Mender client continues a download that broke off, before it gives up and the update
 * fails. https://docs.mender.io/client-installation/configuration/configuration-options
 */
const CONTINUED = 10;
/** A client that is interrupted this often on average finishes 19 of 20 downloads. */
const MEAN_INTERRUPTIONS = 6.17;
/** A link that holds for less than this at a time, in seconds, is not rare in the field. */
const HOLDS = 600;

/** What the bytes of an artifact mean on a link. */
export interface LinkBudget {
  /** Seconds that one device downloads. */
  seconds: number;
  /** Seconds that the link must hold at a time, on average, for 19 of 20 downloads to arrive. */
  mustHold: number;
  /** True if a link that breaks every ten minutes is not enough. */
  unlikely: boolean;
}

/**
 * The time that `bytes` take at `rate` bits per second, and how well the link must hold. The client
 * gives up after ten interruptions; they are taken as independent of each other. Pure.
 */
export function linkBudget(bytes: number, rate: number): LinkBudget {
  const seconds = (bytes * 8) / rate;
  const mustHold = seconds / MEAN_INTERRUPTIONS;
  return { seconds, mustHold, unlikely: mustHold > HOLDS };
}

/** The warning about an artifact that is unlikely to arrive. `name` says which. Pure. */
export function linkWarning(name: string, { mustHold, unlikely }: LinkBudget): string | undefined {
  if (!unlikely) return undefined;
  return (
    `${name} may not arrive: the client gives up after ${CONTINUED} interruptions, ` +
    `so the link must hold for ${formatDuration(mustHold)} at a time`
  );
}

/** `45 s`, `12 min`, `3.5 h` or `2.1 d`. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 129_600 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`;
}
