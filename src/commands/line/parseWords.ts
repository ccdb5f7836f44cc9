import { parseArgs } from 'node:util';
import { registerSecret } from '../../io/redact.ts';
import type { Command, Option, OptionTable } from '../terminal/command.ts';
import { flagName } from '../terminal/command.ts';
import { ownWords } from './ownWords.ts';
import { refuseOtherAction } from './refuseOtherAction.ts';
import { meant } from './synonyms.ts';
import { didYouMean } from '../../io/suggest.ts';
import type { Word } from './usage.ts';
import { optionWords, placeholderOf, usageLine, wordText, wordsOf, wrongChoice, wrongLine } from './usage.ts';

/** The values of options and words by their names in camel case. */
export type ParsedFlags = Record<string, unknown>;
/** One part of a command line. */
type Token = ReturnType<typeof tokensOf>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/** The parts of a command line, by what the options of `table` take. */
export function tokensOf(words: readonly string[], table: OptionTable) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, alias }]) => [
      name,
      {
        type: type === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: true,
        ...(alias === undefined ? {} : { short: alias }),
      },
    ]),
  );
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/**
 * Reads the words of a command line after its verb. `given` are values that the command line
 * overrides. Throws UsageError, which says what was meant and what to type.
 */
export function parseWords(command: Command, words: readonly string[], given: ParsedFlags = {}): ParsedFlags {
  const tokens = tokensOf(words, command.options);
  const flags: ParsedFlags = { ...defaultsOf(command.options), ...given };
  const fromLine = optionValues(command, tokens);
  for (const [name, values] of fromLine) flags[flagName(name)] = joined(command, name, values);
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Infinity;
  const isOwn = ({ index }: Token): boolean => command.passesOn === undefined || index < end;
  const plain = tokens.flatMap((token) => (token.kind === 'positional' && isOwn(token) ? [token.value] : []));
  if (command.passesOn !== undefined && end !== Infinity) flags['--'] = words.slice(end + 1);
  const missing = Object.entries(command.options).find(
    ([name, { demandOption }]) => demandOption === true && flags[flagName(name)] === undefined,
  );
  if (missing !== undefined) throw missingOption(command, ...missing);
  const said = plainWords(command, plain);
  refuseOtherAction(command, fromLine.keys(), said['action']);
  return { ...flags, ...said };
}

function defaultsOf(table: OptionTable): ParsedFlags {
  const set = Object.entries(table).filter(([, option]) => option.default !== undefined);
  return Object.fromEntries(set.map(([name, option]) => [flagName(name), option.default]));
}

function optionValues(command: Command, tokens: readonly Token[]): Map<string, unknown[]> {
  const values = new Map<string, unknown[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, option, isOff } = optionOf(command, token);
    values.set(name, [...(values.get(name) ?? []), valueOf(command, token, option, isOff)]);
  }
  return values;
}

function optionOf(command: Command, token: OptionToken): { name: string; option: Option; isOff: boolean } {
  const { options } = command;
  const own = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
  if (own !== undefined) return { name: token.name, option: own, isOff: false };
  const positive = token.name.replace(/^no-/, '');
  const negated = Object.hasOwn(options, positive) ? options[positive] : undefined;
  if (negated?.type === 'boolean') return { name: positive, option: negated, isOff: true };
  if (negated !== undefined) throw notNegatable(command, token.rawName, positive, negated);
  throw unknownOption(command, token.rawName);
}

function notNegatable(command: Command, given: string, name: string, option: Option): Error {
  const form = `--${name} ${placeholderOf(name, option)}`;
  return wrongLine(
    command,
    `${given}: --${name} takes a value and can't be turned off`,
    `leave it out, or write ${form}`,
  );
}

function unknownOption(command: Command, given: string): Error {
  const advice = given.startsWith('--') ? didYouMean(given, optionWords(command.options)) : undefined;
  return wrongLine(command, `unknown option ${given}`, advice);
}

function valueOf(command: Command, token: OptionToken, option: Option, isOff: boolean): unknown {
  if (option.type === 'boolean') return truthOf(command, token, isOff);
  const text = textOf(command, token, option);
  if (option.choices !== undefined && !option.choices.includes(text))
    throw wrongChoice(command, token.rawName, text, option.choices);
  if (option.type !== 'number') return text;
  if (text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  throw wrongLine(command, `${token.rawName} ${JSON.stringify(text)}: expected a number`);
}

function truthOf(command: Command, { name, rawName, value }: OptionToken, isOff: boolean): boolean {
  if (value === undefined) return !isOff;
  if (!isOff && (value === 'true' || value === 'false')) return value === 'true';
  const positive = isOff ? name.replace(/^no-/, '') : name;
  throw wrongLine(
    command,
    `${rawName}=${value}: expected ${isOff ? 'no value' : 'true or false'}`,
    `write --${positive} or --no-${positive}`,
  );
}

function textOf(command: Command, token: OptionToken, option: Option): string {
  const { name, rawName, value, inlineValue } = token;
  const isShort = !rawName.startsWith('--');
  const text = inlineValue === true && isShort ? value.replace(/^=/, '') : (value ?? '');
  const isOption = inlineValue !== true && /^-[^\d.]/.test(text);
  if (option.isSecret === true) registerSecret(text);
  if (text !== '' && !isOption) return text;
  const form = `${rawName} ${placeholderOf(name, option)}`;
  const dashed = isOption ? `, or --${name}=${text} if ${text} is the value` : '';
  throw wrongLine(command, `${rawName} has no value`, `write ${form}${dashed}`);
}

/** The value of an option that was given one or more times. The last word counts for booleans. */
function joined(command: Command, name: string, values: readonly unknown[]): unknown {
  const option = command.options[name];
  if (option?.array === true) return values;
  if (values.length === 1 || option?.type === 'boolean') return values.at(-1);
  throw wrongLine(command, `--${name} was given more than once`, 'it takes one value');
}

function missingOption(command: Command, name: string, option: Option): Error {
  return wrongLine(
    command,
    `no --${name} is given`,
    `add --${name} ${placeholderOf(name, option)} (${option.describe})`,
  );
}

function plainWords(command: Command, words: readonly string[]): ParsedFlags {
  const flags: ParsedFlags = {};
  const rest = [...words];
  for (const word of wordsOf(command)) {
    const values = word.isMany ? rest.splice(0) : rest.splice(0, 1);
    if (values.length === 0 && word.isRequired) throw missingWord(command, word);
    const checked = values.map((value) => checkedWord(command, word, value));
    if (word.isMany) flags[flagName(word.name)] = checked;
    else if (checked.length > 0) flags[flagName(word.name)] = checked[0];
  }
  const [extra] = rest;
  if (extra === undefined) return flags;
  throw wrongLine(command, `unexpected word ${JSON.stringify(extra)}`, `the form is ${usageLine(command)}`);
}

function missingWord(command: Command, word: Word): Error {
  const choices = command.positionals[word.name]?.choices;
  const values = choices === undefined ? '' : ` (${choices.join(', ')})`;
  const name = wordText({ ...word, isMany: false }, command);
  return wrongLine(command, `no ${name} is given${values}`, `type ${usageLine(command)}`);
}

function checkedWord(command: Command, { name }: Word, given: string): string {
  const { choices, hiddenChoice } = command.positionals[name] ?? {};
  if (choices === undefined || given === hiddenChoice) return given;
  const known = meant(given, choices);
  if (known !== undefined) return known;
  throw wrongChoice(command, command.usage.split(' ')[0] ?? '', given, choices);
}

/** True if the words ask for help: `--help`, or `-h` where no value follows. */
export function wantsHelp(words: readonly string[], table: OptionTable): boolean {
  const own = ownWords(words);
  const takesValue = Object.values(table).some(({ alias }) => alias === 'h');
  return own.some((word, position) => {
    const next = own[position + 1];
    return (
      word === '--help' || (word === '-h' && (!takesValue || next === undefined || next.startsWith('-')))
    );
  });
}
