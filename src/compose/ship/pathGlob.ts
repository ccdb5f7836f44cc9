/** One step of a pattern. */
interface Step {
  /** True for a character that the step takes. */
  takes(character: string): boolean;
  /** True for `*` and `**`, which take any number of characters. */
  isLoop: boolean;
  /** True for a character after which the next step may begin. */
  ends(character: string): boolean;
}

/** `**` and a slash, other `**`, `*`, `?`, a class, an escaped character, any other character. */
const TOKEN = /(?:\*\*\/)+|\*\*+|\*|\?|\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|./gs;

const always = () => true;
const isSlash = (character: string) => character === '/';
const isNoSlash = (character: string) => character !== '/';

/**
 * Returns a function that is true for a path that the pattern matches, and for every path below
 * it. The time is at most the length of the path times that of the pattern: unlike a regular
 * expression it follows all possible steps at once. Throws SyntaxError for an invalid class.
 */
export function compileGlob(glob: string): (path: string) => boolean {
  const steps = (glob.match(TOKEN) ?? []).map(stepOf);
  return (path) => {
    let open = entered(new Set(), steps, 0);
    for (const character of path.split('')) {
      if (character === '/' && open.has(steps.length)) return true;
      open = advanced(open, steps, character);
      if (open.size === 0) return false;
    }
    return open.has(steps.length);
  };
}

function advanced(open: ReadonlySet<number>, steps: readonly Step[], character: string): Set<number> {
  const next = new Set<number>();
  for (const at of open) {
    const step = steps[at];
    if (step?.takes(character) !== true) continue;
    if (step.isLoop) next.add(at);
    if (step.ends(character)) entered(next, steps, at + 1);
  }
  return next;
}

/** Adds the step, and those behind loops that may take nothing. */
function entered(open: Set<number>, steps: readonly Step[], first: number): Set<number> {
  for (let at = first; ; at += 1) {
    open.add(at);
    if (steps[at]?.isLoop !== true) return open;
  }
}

function stepOf(token: string): Step {
  if (token.startsWith('**/')) return { takes: always, isLoop: true, ends: isSlash };
  if (token.startsWith('**')) return { takes: always, isLoop: true, ends: always };
  if (token === '*') return { takes: isNoSlash, isLoop: true, ends: always };
  if (token === '?') return { takes: isNoSlash, isLoop: false, ends: always };
  return { takes: characterOf(token), isLoop: false, ends: always };
}

function characterOf(token: string): Step['takes'] {
  if (/^\[\^?\]?$/.test(token)) throw new SyntaxError('the class is empty or not closed');
  if (token.startsWith('[')) {
    // A bracket at the beginning belongs to the class, as in Go.
    const expression = new RegExp(`^${token.replace(/^\[\^?(?=\])/, '$&\\')}$`, 's');
    return (character) => expression.test(character);
  }
  const wanted = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
  return (character) => character === wanted;
}
