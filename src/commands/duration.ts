import { UsageError } from '../errors.ts';

const UNITS: Record<string, number> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `90`, `90s`, `30m`, `2h` or `1d`; throws UsageError for anything else. `option` names it. */
export function parseDuration(text: string, option: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text.trim()) ?? [];
  const factor = UNITS[unit];
  if (number !== undefined && factor !== undefined) return Number(number) * factor;
  throw new UsageError(`${option} ${JSON.stringify(text)}: expected a duration like 90s, 30m or 2h`);
}
