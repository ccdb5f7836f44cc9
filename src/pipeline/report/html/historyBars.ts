import { formatBytes } from '../../../io/amounts.ts';
import type { PastRelease } from '../model.ts';
import type { Html } from './markup.ts';
import { markup, visible } from './markup.ts';

const WIDTH = 720;
const ROW = 26;
/** Where bars begin, and the longest one ends. */
const [START, END] = [180, 620];
const LONGEST_NAME = 24;

/**
 * The sizes of the artifacts as bars, those of deltas in another colour. It is hidden from screen
 * readers, as a table has the same. Pure.
 */
export function historyBars(history: readonly PastRelease[]): Html {
  const largest = history.reduce((most, { size }) => Math.max(most, size), 1);
  const bars = history.map((release, index) => bar(release, index * ROW, largest));
  return markup`<figure><svg class="bars" viewBox="0 0 ${WIDTH} ${history.length * ROW}" aria-hidden="true">${bars}</svg>
<figcaption>The size of each artifact. <span class="state edited">made from a base</span> <span class="state moved">full</span></figcaption></figure>
`;
}

function bar({ artifactName, size, madeFrom }: PastRelease, top: number, largest: number): Html {
  const width = Math.max(1, Math.round(((END - START) * size) / largest));
  return markup`<text x="0" y="${top + 17}">${shortened(artifactName)}</text><rect class="${madeFrom === null ? 'moved' : 'edited'}" x="${START}" y="${top + 3}" width="${width}" height="${ROW - 6}"/><text x="${START + width + 6}" y="${top + 17}">${formatBytes(size)}</text>`;
}

/** The end of a name has the version. */
function shortened(name: string): string {
  const characters = Array.from(visible(name));
  if (characters.length <= LONGEST_NAME) return characters.join('');
  return `…${characters.slice(1 - LONGEST_NAME).join('')}`;
}
