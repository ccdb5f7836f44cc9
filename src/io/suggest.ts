/** The candidate that `word` is most likely a misspelling of. Undefined if none is close enough. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const written = bare(word);
  const most = Math.min(3, Math.max(1, Math.floor(written.length / 3)));
  const near = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(written, bare(candidate)) }))
    .filter(({ edits }) => edits <= most)
    .sort(
      (a, b) => a.edits - b.edits || commonStart(written, b.candidate) - commonStart(written, a.candidate),
    );
  return near[0]?.candidate ?? onlyOneThatBegins(written, candidates) ?? onlyOneWith(written, candidates);
}

/** How many letters both begin with. People rarely misspell the first ones. */
function commonStart(written: string, candidate: string): number {
  const letters = bare(candidate);
  let length = 0;
  while (length < written.length && written[length] === letters[length]) length += 1;
  return length;
}

/** The letters that count: without the dashes of an option, and in small letters. */
function bare(word: string): string {
  return word.replace(/^-+/, '').toLowerCase();
}

/** The advice `did you mean CANDIDATE?`. Undefined if no candidate is close enough. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const near = closest(word, candidates);
  return near === undefined ? undefined : `did you mean ${near}?`;
}

function onlyOneThatBegins(word: string, candidates: readonly string[]): string | undefined {
  if (word.length < 3) return undefined;
  return onlyOne(candidates.filter((candidate) => bare(candidate).startsWith(word)));
}

/** `host` means `--mender-host`. */
function onlyOneWith(word: string, candidates: readonly string[]): string | undefined {
  return onlyOne(candidates.filter((candidate) => bare(candidate).split(/[-_]/).includes(word)));
}

function onlyOne(found: readonly string[]): string | undefined {
  return found.length === 1 ? found[0] : undefined;
}

/**
 * How many letters were inserted, deleted, replaced or exchanged with their neighbour: the optimal
 * string alignment distance.
 */
export function editsBetween(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
        row > 1 && column > 1 && isSwapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

/** `a, b or c` */
export function oneOf(words: readonly string[]): string {
  const [last = '', ...others] = [...words].reverse();
  return others.length === 0 ? last : `${others.reverse().join(', ')} or ${last}`;
}
