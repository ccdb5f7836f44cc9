import { didYouMean } from '../io/suggest.ts';

/**
 * A hint for a name that does not exist: the name that was probably meant, or all `names`. Pure.
 */
export function hintFor(name: string, names: readonly string[]): string {
  return didYouMean(name, names) ?? `there are ${names.join(', ')}`;
}
