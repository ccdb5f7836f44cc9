import type { Command, Option, OptionTable } from '../terminal/command.ts';
import { verbOf } from '../terminal/command.ts';
import { PROGRAM, WHAT, meaning, placeholderOf, shownOptions, usageLine } from './usage.ts';

/**
 * The manual page of the tool, in the format of man(7). It has a section for each command.
 * https://man7.org/linux/man-pages/man7/man.7.html
 */
export function manPage(commands: readonly Command[], common: OptionTable, version: string): string {
  return [
    `.TH ${PROGRAM.toUpperCase()} 1 "" "${PROGRAM} ${version}"`,
    '.SH NAME',
    `${PROGRAM} \\- small Mender Artifacts from Docker Compose files`,
    '.SH SYNOPSIS',
    `.B ${PROGRAM}`,
    'COMMAND [OPTION..]',
    '.SH DESCRIPTION',
    WHAT,
    'Without COMMAND it is',
    '.BR build .',
    '.SH "OPTIONS OF EVERY COMMAND"',
    ...optionLines(common),
    ...commands.flatMap((command) => commandLines(command)),
    '',
  ].join('\n');
}

function commandLines(command: Command): string[] {
  const examples = command.examples.flatMap(([line, what]) => [
    '.PP',
    `${escaped(what)}:`,
    '.PP',
    '.RS 4',
    '.EX',
    escaped(line.replaceAll('$0', PROGRAM)),
    '.EE',
    '.RE',
  ]);
  return [
    `.SH "${verbOf(command).toUpperCase()}"`,
    '.EX',
    escaped(usageLine(command)),
    '.EE',
    '.PP',
    escaped(command.describe),
    ...optionLines(command.positionals, ''),
    ...optionLines(command.options),
    ...examples,
  ];
}

function optionLines(table: OptionTable, dashes = '--'): string[] {
  return Object.entries(shownOptions(table)).flatMap(([name, option]) => [
    '.TP',
    head(name, option, dashes),
    escaped(meaning(option)),
  ]);
}

function head(name: string, option: Option, dashes: string): string {
  if (dashes === '') return `.I ${escaped(placeholderOf(name, option))}`;
  const letter = option.alias === undefined ? '' : `-${option.alias}, `;
  const value = option.type === 'boolean' ? '' : ` " " \\fI${escaped(placeholderOf(name, option))}\\fR`;
  return `.BR "${escaped(`${letter}--${name}`)}"${value}`;
}

/** Text that troff shows as it is. */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('"', '\\(dq');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
