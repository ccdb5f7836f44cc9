import type { Log } from '../../io/log.ts';
import { linkBudget, linkWarning, parseRate } from '../../pipeline/fleet/link.ts';
import type { FlagsOf } from '../terminal/command.ts';

/** The rate of the devices' link, for commands that say what bytes mean. */
export const LINK_OPTION = {
  link: {
    type: 'string',
    describe: 'Speed of the connection of the devices, like 100kbit, to show how long a download takes',
  },
} as const;

/** Bits per second, or undefined without the option. Throws UsageError for an invalid rate. */
export function linkRate({ link }: FlagsOf<typeof LINK_OPTION>): number | undefined {
  return link === undefined ? undefined : parseRate(link, '--link');
}

/** What travels over the link. */
interface Download {
  name: string;
  /** Bytes. */
  size: number;
}

/** Warns of each download that is unlikely to arrive at this rate. */
export function warnOfLink(downloads: readonly Download[], rate: number | undefined, log: Log): void {
  if (rate === undefined) return;
  for (const { name, size } of downloads) {
    const warning = linkWarning(name, linkBudget(size, rate));
    if (warning !== undefined) log.warning(warning);
  }
}
