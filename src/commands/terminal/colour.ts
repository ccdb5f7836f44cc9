import type { Environment } from '../../environment.ts';
/**
 * True if output gets colours. `--color` wins over FORCE_COLOR, and that over NO_COLOR
 * (https://no-color.org).
 */
export function wantsColour(
  flag: 'auto' | 'always' | 'never' | undefined,
  environment: Environment,
  isTerminal: boolean,
): boolean {
  if (flag === 'always' || flag === 'never') return flag === 'always';
  const [force = '', no = ''] = [environment['FORCE_COLOR'], environment['NO_COLOR']];
  if (force !== '') return force !== '0' && force !== 'false';
  return isTerminal && no === '' && environment['TERM'] !== 'dumb';
}

const STARTS: readonly (readonly [start: string, code: number])[] = [
  ['error:', 31],
  ['warning:', 33],
];

/** The line, with its first word coloured if it says `error:` or `warning:`. */
export function paintStart(line: string, isColoured: boolean): string {
  const [start, code] = STARTS.find(([word]) => line.startsWith(word)) ?? [];
  if (!isColoured || start === undefined || code === undefined) return line;
  return `\x1b[${code}m${start}\x1b[39m${line.slice(start.length)}`;
}
