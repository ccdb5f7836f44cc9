import { UsageError } from '../../errors.ts';
import type { Command, OptionTable } from '../terminal/command.ts';
import { verbOf } from '../terminal/command.ts';
import { ownWords } from './ownWords.ts';
import { tokensOf, wantsHelp } from './parseWords.ts';
import { meant } from './synonyms.ts';
import { didYouMean } from '../../io/suggest.ts';
import { PROGRAM } from './usage.ts';

/** What a command line asks for. */
export type Choice =
  | { kind: 'introduction' }
  | { kind: 'overview' }
  | { kind: 'version' }
  | { kind: 'help'; command: Command }
  | { kind: 'run'; command: Command; words: readonly string[] };

interface Known {
  commands: readonly Command[];
  /** Options of every command. */
  common: OptionTable;
  /** True if the path exists, relative to the working folder. */
  exists(path: string): boolean;
}

/**
 * Which command a command line means. A line without a verb builds. Throws UsageError for a word
 * that is neither a command nor a file.
 */
export function chooseCommand(argv: readonly string[], known: Known): Choice {
  if (argv.length === 0) return { kind: 'introduction' };
  const table = allOptions(known);
  const { word, index } = firstWord(argv, table);
  const others = [...argv.slice(0, index), ...argv.slice(index + 1)];
  if (word === 'help') return helpOn(others, known);
  if (word === 'version') return { kind: 'version' };
  const command = word === undefined ? undefined : commandOf(word, known.commands);
  const isHelp = wantsHelp(argv, command?.options ?? table);
  if (command !== undefined) return isHelp ? { kind: 'help', command } : runOrVersion(command, others);
  if (isHelp) return { kind: 'overview' };
  if (word !== undefined && !isPath(word, known)) throw unknownWord(word, known);
  return runOrVersion(defaultCommand(known), argv);
}

function allOptions({ commands, common }: Known): OptionTable {
  const tables = commands.map(({ options }) => options).reverse();
  return Object.assign({}, ...tables, common) as OptionTable;
}

/** The first word that is not an option, and its place. Without one, the place where words end. */
function firstWord(argv: readonly string[], table: OptionTable): { word?: string; index: number } {
  const first = tokensOf(argv, table).find(
    ({ kind }) => kind === 'positional' || kind === 'option-terminator',
  );
  if (first?.kind === 'positional') return { word: first.value, index: first.index };
  return { index: first?.index ?? argv.length };
}

function runOrVersion(command: Command, words: readonly string[]): Choice {
  if (ownWords(words).includes('--version') && !Object.hasOwn(command.options, 'version'))
    return { kind: 'version' };
  return { kind: 'run', command, words };
}

function commandOf(word: string, commands: readonly Command[]): Command | undefined {
  const verb = meant(word, commands.map(verbOf));
  return commands.find((command) => verbOf(command) === verb);
}

function defaultCommand({ commands }: Known): Command {
  const [first] = commands;
  if (first === undefined) throw new Error('there are no commands');
  return first;
}

function helpOn(words: readonly string[], known: Known): Choice {
  const word = words.find((text) => !text.startsWith('-'));
  if (word === undefined) return { kind: 'overview' };
  const command = commandOf(word, known.commands);
  if (command !== undefined) return { kind: 'help', command };
  if (word === 'help' || word === 'version') return { kind: 'overview' };
  throw new UsageError(`there is no command ${JSON.stringify(word)}`, { hint: adviceOn(word, known) });
}

function isPath(word: string, known: Known): boolean {
  return /[./\\]/.test(word) || known.exists(word);
}

function unknownWord(word: string, known: Known): UsageError {
  return new UsageError(`${JSON.stringify(word)} is neither a command nor a file`, {
    hint: adviceOn(word, known),
  });
}

function adviceOn(word: string, { commands }: Known): string {
  const advice = didYouMean(word, [...commands.map(verbOf), 'help', 'version']);
  const all = `${PROGRAM} help lists all commands`;
  return advice === undefined ? all : `${advice} ${all}`;
}
