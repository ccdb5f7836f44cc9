import type { Command, Option, OptionTable } from '../terminal/command.ts';
import { verbOf } from '../terminal/command.ts';
import { STANDARD_OPTIONS } from './globalOptions.ts';
import { columns, shellLines, wrapped } from '../terminal/wrap.ts';
import {
  PROGRAM,
  WHAT,
  meaning,
  placeholderOf,
  shownOptions,
  usageLine,
  wordText,
  wordsOf,
} from './usage.ts';

/** The commands that a newcomer needs. */
const FIRST = ['init', 'plan', 'build', 'verify', 'deploy'];
const EXAMPLE = `${PROGRAM} build . -t raspberrypi4 -p linux/arm64 --no-upload`;

/** What the tool prints when it is called without words. `width` is in columns. */
export function introduction(commands: readonly Command[], width: number): string {
  const first = FIRST.flatMap((verb) => commands.filter((command) => verbOf(command) === verb));
  return [
    wrapped(WHAT, width),
    '',
    `Usage: ${PROGRAM} COMMAND [OPTION..]`,
    '',
    ...listed(first, width),
    '',
    'Example:',
    `  ${EXAMPLE}`,
    '',
    wrapped(`${PROGRAM} help lists all commands. ${PROGRAM} help build lists the options of build.`, width),
  ].join('\n');
}

/** All commands and the options that all of them have. */
export function overview(commands: readonly Command[], common: OptionTable, width: number): string {
  return [
    wrapped(WHAT, width),
    '',
    `Usage: ${PROGRAM} COMMAND [OPTION..]`,
    wrapped('Without COMMAND it is build: a Compose file or its folder is enough.', width),
    '',
    'Commands:',
    ...listed(commands, width),
    '',
    ...groupsOf({ ...common, ...STANDARD_OPTIONS }, width),
    wrapped(`${PROGRAM} help COMMAND lists the options of a command.`, width),
  ].join('\n');
}

function listed(commands: readonly Command[], width: number): string[] {
  return columns(
    commands.map((command) => [`  ${verbOf(command)}`, command.describe]),
    width,
  );
}

/** Everything about one command. */
export function commandHelp(command: Command, common: OptionTable, width: number): string {
  const { describe, positionals, examples, passesOn } = command;
  const more = typeof passesOn === 'string' ? passesOn : '';
  const words = wordsOf(command).map((word): [string, string] => [
    `  ${wordText({ ...word, isRequired: true }, command)}`,
    meaning(positionals[word.name]),
  ]);
  if (more !== '') words.push(['  -- ARGUMENT..', more]);
  const examplesText = examples.flatMap(([line, what]) => [
    ...wrapped(what, width - 4)
      .split('\n')
      .map((text) => `  # ${text}`),
    ...shellLines(line.replaceAll('$0', PROGRAM), width - 2).map((text) => `  ${text}`),
  ]);
  return [
    wrapped(describe, width),
    '',
    `Usage: ${usageLine(command)} [OPTION..]${more === '' ? '' : ' [-- ARGUMENT..]'}`,
    '',
    ...(words.length === 0 ? [] : [...columns(words, width), '']),
    ...groupsOf({ ...command.options, ...common, help: STANDARD_OPTIONS.help }, width),
    ...(examples.length === 0 ? [] : ['Examples:', ...examplesText]),
  ]
    .join('\n')
    .trimEnd();
}

/** The options under the headings of their groups, each group with an empty line after it. */
function groupsOf(table: OptionTable, width: number): string[] {
  const groups = new Map<string, [string, string][]>();
  for (const [name, option] of Object.entries(shownOptions(table))) {
    const group = option.group ?? 'Options:';
    groups.set(group, [...(groups.get(group) ?? []), [nameText(name, option), meaning(option)]]);
  }
  return [...groups].flatMap(([group, rows]) => [group, ...columns(rows, width), '']);
}

function nameText(name: string, option: Option): string {
  const letter = option.alias === undefined ? '      ' : `  -${option.alias}, `;
  return `${letter}--${name}${option.type === 'boolean' ? '' : ` ${placeholderOf(name, option)}`}`;
}
