import { UsageError } from '../../errors.ts';
import type { Threshold } from './types.ts';

const SHARE = /^(\d+(?:\.\d+)?)%$/;

/** `5%` or `3`. Throws UsageError that names the option. Pure. */
export function parseThreshold(text: string, option: string): Threshold {
  const share = shareOf(text);
  if (share !== undefined) return { share };
  if (/^\d+$/.test(text.trim())) return { devices: Number(text) };
  throw new UsageError(`${option} ${JSON.stringify(text)}: expected a share like 5% or a number of devices`);
}

/**
 * `5%,25%,100%`: growing shares, the last one 100%. Throws UsageError that names the option. Pure.
 */
export function parsePhases(text: string, option: string): number[] {
  const shares = text.split(',').map((part) => shareOf(part) ?? 0);
  const grow = shares.every((share, index) => share > (shares[index - 1] ?? 0));
  if (grow && shares.at(-1) === 1) return shares;
  throw new UsageError(`${option} ${JSON.stringify(text)}: expected growing shares that end with 100%`, {
    hint: `write them as in ${option} 5%,25%,100%`,
  });
}

function shareOf(text: string): number | undefined {
  const [, number] = SHARE.exec(text.trim()) ?? [];
  const share = Number(number) / 100;
  return share <= 1 ? share : undefined;
}
