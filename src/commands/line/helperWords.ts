import { ownWords } from './ownWords.ts';

/** A command line in the words of this tool, and what to say about the words that were replaced. */
export interface Translation {
  words: readonly string[];
  notes: string[];
}

const PAIRS: Readonly<Record<string, string>> = {
  '-f': 'SERVICE=FILE',
  '--service-file': 'SERVICE=FILE',
  '-i': 'SERVICE=IMAGE',
  '--service-image': 'SERVICE=IMAGE',
};
const LEVELS = ['-l', '--log-level'];
/** Options of mender-docker-lifecycle-helper that do one thing to the cache, and end. */
const CACHE_VERBS: Readonly<Record<string, readonly string[]>> = {
  '--clean-cache': ['cache', 'prune'],
  '--clear-image-cache': ['cache', 'prune', '--limit-size', '0'],
  '--clear-cache': ['cache', 'clear'],
};
const CACHE_LIMITS: Readonly<Record<string, string>> = {
  '--cache-dir': '--cache-dir',
  '--cache-limit-size': '--limit-size',
  '--cache-limit-percent': '--limit-percent',
};

/**
 * Translates what people who come from mender-docker-lifecycle-helper type. `exists`: true for a
 * path of a file, which is no name of a service. Pure but for `exists`.
 * https://pypi.org/project/mender-docker-lifecycle-helper/
 */
export function translateHelperWords(
  argv: readonly string[],
  exists: (path: string) => boolean,
): Translation {
  const own = ownWords(argv);
  const verb = own.find((word) => Object.hasOwn(CACHE_VERBS, word));
  if (verb !== undefined) return cacheCommand(verb, own);
  const words: string[] = [];
  const notes: string[] = [];
  for (let at = 0; at < own.length; at++) {
    const [word = '', value = '', next = ''] = own.slice(at, at + 3);
    words.push(word);
    const form = Object.hasOwn(PAIRS, word) ? PAIRS[word] : undefined;
    if (form !== undefined && isPair(value, next, exists)) {
      words.push(`${value}=${next}`);
      notes.push(`${word} ${value} ${next} is written ${word} ${value}=${next} here (${form})`);
      at += 2;
    } else if (LEVELS.includes(word) && /^[A-Z]+$/.test(value)) {
      words.push(value.toLowerCase());
      at += 1;
    }
  }
  return { words: [...words, ...argv.slice(own.length)], notes };
}

/** True for the name of a service and what replaces its image. */
function isPair(service: string, value: string, exists: (path: string) => boolean): boolean {
  return /^[\w.-]+$/.test(service) && !service.startsWith('-') && !exists(service) && /^[^-]/.test(value);
}

/** Leaves out the Compose file and the options of builds. */
function cacheCommand(verb: string, argv: readonly string[]): Translation {
  const words = [...(CACHE_VERBS[verb] ?? [])];
  const isPrune = verb === '--clean-cache';
  for (const [index, word] of argv.entries()) {
    const [name = '', ...given] = word.split('=');
    const option = Object.hasOwn(CACHE_LIMITS, name) ? CACHE_LIMITS[name] : undefined;
    if (option === undefined || (option !== '--cache-dir' && !isPrune)) continue;
    words.push(option, given.length > 0 ? given.join('=') : (argv[index + 1] ?? ''));
  }
  return { words, notes: [`${verb} is \`mender-docker-delta ${words.join(' ')}\` here`] };
}
