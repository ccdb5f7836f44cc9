/** The steps of a pattern as bits: the lowest is the first step, the one above all is the end. */
interface Steps {
  end: bigint;
  /** Steps that take only one character, by that character. */
  literals: ReadonlyMap<string, bigint>;
  /** What `takers` has found, by character. */
  known: Map<string, bigint>;
  /** Other steps: those of one token take the same characters. */
  others: readonly Taker[];
  /** `*`, `**` and `**` with a slash, which take any number of characters. */
  loops: bigint;
  /** All steps but `**` with a slash, after which the next step begins only behind a slash. */
  endAnywhere: bigint;
}

interface Taker {
  takes: (character: string) => boolean;
  bits: bigint;
}

/** `**` and a slash, other `**`, `*`, `?`, a class, an escaped character, any other character. */
const TOKEN = /(?:\*\*\/)+|\*\*+|\*|\?|\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|./gs;

/** Characters. Paths have few different ones. */
const MOST_KNOWN = 128;

const always = () => true;
const isNoSlash = (character: string) => character !== '/';

/**
 * Returns a function that is true for a path that the pattern matches, and for every path below
 * it. The time grows with the length of the path, whatever the pattern: unlike a regular expression
 * it follows all possible steps at once. Throws SyntaxError for an invalid class.
 */
export function compileGlob(glob: string): (path: string) => boolean {
  const steps = stepsOf(glob.match(TOKEN) ?? []);
  return (path) => {
    let open = entered(steps, 1n);
    for (const character of path.split('')) {
      if (character === '/' && (open & steps.end) !== 0n) return true;
      open = advanced(open, steps, character);
      if (open === 0n) return false;
    }
    return (open & steps.end) !== 0n;
  };
}

function advanced(open: bigint, steps: Steps, character: string): bigint {
  const taken = open & takers(steps, character);
  if (taken === 0n) return 0n;
  const ended = character === '/' ? taken : taken & steps.endAnywhere;
  return (taken & steps.loops) | entered(steps, ended << 1n);
}

function takers({ literals, others, known }: Steps, character: string): bigint {
  const before = known.get(character);
  if (before !== undefined) return before;
  let bits = literals.get(character) ?? 0n;
  for (const other of others) if (other.takes(character)) bits |= other.bits;
  if (known.size < MOST_KNOWN) known.set(character, bits);
  return bits;
}

/** Adds the steps behind loops that may take nothing. At most two loops follow each other. */
function entered({ loops }: Steps, first: bigint): bigint {
  const second = first | ((first & loops) << 1n);
  return second | ((second & loops) << 1n);
}

function stepsOf(tokens: readonly string[]): Steps {
  const end = 1n << BigInt(tokens.length);
  const places = placesOf(tokens);
  const literals = new Map<string, bigint>();
  const others: Taker[] = [];
  for (const [token, bits] of places) {
    const takes = takesOf(token);
    if (takes !== undefined) others.push({ takes, bits });
    else literals.set(literalOf(token), (literals.get(literalOf(token)) ?? 0n) | bits);
  }
  const loops = bitsOf(places, (token) => token.startsWith('*'));
  const endAtSlash = bitsOf(places, (token) => token.startsWith('**/'));
  return { end, literals, known: new Map(), others, loops, endAnywhere: (end - 1n) & ~endAtSlash };
}

function placesOf(tokens: readonly string[]): Map<string, bigint> {
  const places = new Map<string, bigint>();
  for (const [at, token] of tokens.entries()) {
    places.set(token, (places.get(token) ?? 0n) | (1n << BigInt(at)));
  }
  return places;
}

function bitsOf(places: ReadonlyMap<string, bigint>, isWanted: (token: string) => boolean): bigint {
  return [...places].reduce((all, [token, bits]) => (isWanted(token) ? all | bits : all), 0n);
}

/** Returns undefined for a token that takes only one character, its own. */
function takesOf(token: string): ((character: string) => boolean) | undefined {
  if (token.startsWith('**')) return always;
  if (token === '*' || token === '?') return isNoSlash;
  if (/^\[\^?\]?$/.test(token)) throw new SyntaxError('the class is empty or not closed');
  if (!token.startsWith('[')) return undefined;
  // A bracket at the beginning belongs to the class, as in Go.
  const expression = new RegExp(`^${token.replace(/^\[\^?(?=\])/, '$&\\')}$`, 's');
  return (character) => expression.test(character);
}

function literalOf(token: string): string {
  return token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
}
