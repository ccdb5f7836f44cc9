/** Objects whose keys are data of the author, which Go reads letter by letter. */
const MAPS = new Set(['annotations', 'labels', 'exposedports', 'volumes', 'onbuild']);
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;

/** An object or list whose end is not read yet. */
interface Open {
  /** Keys of an object so far, as Go compares them; undefined for a list. */
  keys: Set<string> | undefined;
  isMap: boolean;
}

interface TwinOptions {
  only?: readonly string[] | undefined;
  isMap?: (name: string) => boolean;
}

/**
 * Returns the first key of a JSON object that an earlier key of it equals, but for the case of its
 * letters. Go's `encoding/json` takes the last of both, other readers tell them apart. `text` is
 * valid JSON. `only`: keys that count, all by default. `isMap`: true for the name of an object
 * whose keys differ by case, too. Pure.
 */
export function twinKey(text: string, { only, isMap = isDockerMap }: TwinOptions = {}): string | undefined {
  const open: Open[] = [];
  let [last, key] = ['', ''];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push({ keys: token === '{' ? new Set() : undefined, isMap: isMap(key) });
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ':') {
      const twin = noteKey(last, open.at(-1));
      if (twin !== undefined && isAsked(twin, only)) return twin;
    }
    key = keyAfter(token, last, key);
    last = token;
  }
  return undefined;
}

function isDockerMap(name: string): boolean {
  return MAPS.has(name);
}

function isAsked(key: string, only: readonly string[] | undefined): boolean {
  return only === undefined || only.includes(foldedKey(key));
}

/** The key that the next value has; empty in a list. */
function keyAfter(token: string, last: string, key: string): string {
  if (token === ':') return foldedKey(JSON.parse(last) as string);
  return '{[,'.includes(token) ? '' : key;
}

/** Adds a key to the object that it is in; returns it if the object has it already. */
function noteKey(quoted: string, at: Open | undefined): string | undefined {
  const key = JSON.parse(quoted) as string;
  const compared = at?.isMap === true ? key : foldedKey(key);
  if (at?.keys?.has(compared) === true) return key;
  at?.keys?.add(compared);
  return undefined;
}

/** Returns the key without case. Go also takes the long `ſ` and the Kelvin sign for `s` and `k`. */
export function foldedKey(key: string): string {
  return key.replaceAll('ſ', 's').toLowerCase();
}
