import { UsageError } from '../../errors.ts';
import type { Command, Option, OptionTable } from '../terminal/command.ts';
import { verbOf } from '../terminal/command.ts';
import { didYouMean, oneOf } from '../../io/suggest.ts';

export const PROGRAM = 'mender-docker-delta';
/** What the tool does, in one sentence. */
export const WHAT =
  'Turns a Docker Compose file into a small Mender Artifact and brings it to a fleet of devices.';

/** One word after the verb, as `usage` writes it: `<file>`, `[id]` or `<manifest..>`. */
export interface Word {
  name: string;
  isRequired: boolean;
  isMany: boolean;
}

/** The words that a command takes, in their order. */
export function wordsOf({ usage }: Pick<Command, 'usage'>): Word[] {
  const words = [...usage.matchAll(/([<[])([\w-]+)(\.\.)?[>\]]/g)];
  return words.map(([, bracket, name = '', many]) => ({
    name,
    isRequired: bracket === '<',
    isMany: many !== undefined,
  }));
}

/** `FILE`, `[ID]` or `COMPOSE-FILE..` */
export function wordText({ name, isRequired, isMany }: Word, { positionals }: Command): string {
  const text = `${placeholderOf(name, positionals[name])}${isMany ? '..' : ''}`;
  return isRequired ? text : `[${text}]`;
}

/** What stands for a value in the help. */
export function placeholderOf(name: string, option: Option | undefined): string {
  if (option?.placeholder !== undefined) return option.placeholder;
  return option?.type === 'number' ? 'N' : (name.split('-').at(-1) ?? name).toUpperCase();
}

/** Every way to type the names of the options: `--delta`, `--no-delta`. */
export function optionWords(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([name, { type }]) =>
    type === 'boolean' ? [`--${name}`, `--no-${name}`] : [`--${name}`],
  );
}

/** The options that the help shows. */
export function shownOptions(table: OptionTable): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([, { hidden }]) => hidden !== true));
}

/** How to type a command: `mender-docker-delta upload FILE`. */
export function usageLine(command: Command): string {
  return [PROGRAM, verbOf(command), ...wordsOf(command).map((word) => wordText(word, command))].join(' ');
}

/** The sentence that every hint about the command line ends with. */
export function seeHelp(command: Command): string {
  return `see ${PROGRAM} help ${verbOf(command)}`;
}

/** An error about the command line of a command. */
export function wrongLine(command: Command, message: string, advice?: string): UsageError {
  const end = advice?.endsWith('?') === true ? '' : ';';
  const hint = advice === undefined ? seeHelp(command) : `${advice}${end} ${seeHelp(command)}`;
  return new UsageError(message, { hint });
}

/** An error about a value that is not one of the choices. `where` is what it was given to. */
export function wrongChoice(
  command: Command,
  where: string,
  given: string,
  choices: readonly string[],
): UsageError {
  const message = `${where} ${JSON.stringify(given)}: expected ${oneOf(choices)}`;
  return wrongLine(command, message, didYouMean(given, choices));
}

/** What an option does, after the actions that read it: `list, show: in this group`. */
export function purposeOf({ actions, describe }: Pick<Option, 'actions' | 'describe'>): string {
  if (actions === undefined) return describe;
  return `${actions.join(', ')}: ${describe.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}`;
}

/** Which actions read an option, what it does, its values and its default. */
export function meaning(option: Option | undefined): string {
  if (option === undefined) return '';
  const { choices, demandOption, defaultDescription = option.default } = option;
  const describe = purposeOf(option);
  const values = choices === undefined ? '' : `: ${choices.join(', ')}`;
  if (demandOption === true) return `${describe}${values}`;
  const isPlain = defaultDescription === undefined || defaultDescription === false;
  return `${describe}${values}${isPlain ? '' : ` (default: ${String(defaultDescription)})`}`;
}
