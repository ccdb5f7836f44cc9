const SYNONYMS: readonly (readonly string[])[] = [
  ['list', 'ls'],
  ['delete', 'rm', 'remove'],
];

/**
 * The one of `known` that `word` is or means: `ls` means `list`, `rm` means `delete`, and a
 * singular means its plural. Undefined if no word fits.
 */
export function meant(word: string, known: readonly string[]): string | undefined {
  if (known.includes(word)) return word;
  const synonyms = SYNONYMS.find((group) => group.includes(word)) ?? [];
  return [...synonyms, ...otherNumbers(word)].find((other) => known.includes(other));
}

/** The plurals of a singular and the singulars of a plural. */
function otherNumbers(word: string): string[] {
  const plurals = [`${word}s`, word.replace(/y$/, 'ies')];
  const singulars = [word.replace(/s$/, ''), word.replace(/ies$/, 'y')];
  return [...plurals, ...singulars].filter((other) => other !== word);
}
