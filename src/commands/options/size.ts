import { UsageError } from '../../errors.ts';

const UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Bytes of `4096`, `500M`, `64G`, `2GiB`; throws UsageError that names the option. */
export function parseSize(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?$/i.exec(text.trim());
  const unit = UNITS[match?.[2]?.toLowerCase() ?? '-'];
  if (match?.[1] === undefined || unit === undefined) {
    throw new UsageError(`${option} ${JSON.stringify(text)}: expected a size like 500M or 64G`);
  }
  return Math.round(Number(match[1]) * unit);
}
