import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { parse as parseYaml } from 'yaml';
import { describe, expect, it } from 'vitest';
import type { Measured } from '../scripts/benchmarks/figures.ts';
import { BENCHMARKS, measuredText } from '../scripts/benchmarks/figures.ts';
import { scaleText } from '../scripts/lib/scale.ts';
import { COMMANDS } from '../src/commands/all.ts';
import { TARGET_SETTINGS } from '../src/commands/bake/options.ts';
import { GLOBAL_OPTIONS, STANDARD_OPTIONS } from '../src/commands/line/globalOptions.ts';
import { withComposeSettings } from '../src/commands/options/settings.ts';
import { lintMap } from '../src/destinations/lint.ts';
import { readProfiles } from '../src/pipeline/destinations/profiles.ts';
import { chooseCommand } from '../src/commands/line/chooseCommand.ts';
import { parseWords } from '../src/commands/line/parseWords.ts';
import { purposeOf, usageLine } from '../src/commands/line/usage.ts';
import { readMetadataFile } from '../src/cache/metadata.ts';
import type { Command } from '../src/commands/terminal/command.ts';
import { EXIT, UsageError } from '../src/errors.ts';
import { runCli } from './helpers/cli.ts';
import { temporaryFolder } from './helpers/temporary.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[] };
/** The benchmarks whose figures are in docs/measurements. */
const MEASURED = BENCHMARKS.filter((name) => existsSync(join(ROOT, `docs/measurements/${name}.json`)));

function figuresOf(name: (typeof BENCHMARKS)[number]): string {
  const path = join(ROOT, `docs/measurements/${name}.json`);
  return measuredText(name, JSON.parse(readFileSync(path, 'utf8')) as Measured<typeof name>);
}

function markdownIn(folder: string, recursive: boolean): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

interface Option {
  alias?: string;
  actions?: readonly string[];
  group?: string;
  describe: string;
  default?: string | number;
  defaultDescription?: string;
  choices?: readonly string[];
  demandOption?: boolean;
}

const nameOf = ({ usage }: Command): string => [usage].flat()[0]!.split(' ')[0]!;

/** The options of a command that its help shows. */
function optionsOf({ options }: Command): Record<string, Option> {
  const shown = Object.entries(options).filter(([, { hidden }]) => hidden !== true);
  return Object.fromEntries(shown) as unknown as Record<string, Option>;
}

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('*', '\\*');
const code = (text: string): string => `\`${text}\``;

function rowOf(name: string, option: Option): string {
  const { alias, choices, defaultDescription = option.default, demandOption } = option;
  const names = [...(alias === undefined ? [] : [`-${alias}`]), `--${name}`].map(code).join(', ');
  const values = choices === undefined ? '' : `: ${choices.map(code).join(', ')}`;
  const value = defaultDescription === undefined ? '' : code(String(defaultDescription));
  const byDefault = demandOption ? 'required' : value;
  return `| ${names} | ${escaped(purposeOf(option))}${values} | ${byDefault} |`;
}

/**
 * The tables of a command's options by their groups; what an earlier command has in the same words
 * is only named.
 */
function blockOf(command: Command, known: Map<string, string>): string {
  const groups = new Map<string, string[]>();
  const again: string[] = [];
  for (const [name, option] of Object.entries(optionsOf(command))) {
    const row = rowOf(name, option);
    if (known.get(row) !== undefined) {
      again.push(code(`--${name}`));
      continue;
    }
    known.set(row, nameOf(command));
    const group = (option.group ?? 'Options').replace(/:$/, '');
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const tables = [...groups].map(([group, rows]) =>
    [`| ${group} | meaning | default |`, '| --- | --- | --- |', ...rows].join('\n'),
  );
  const rest = again.length === 0 ? [] : [`As above: ${again.join(', ')}.`];
  return [...tables, ...rest].join('\n\n');
}

/** Replaces the text between a marker and the next `<!-- end -->`. */
function filled(text: string, name: string, block: string): string {
  const marker = `<!-- ${name} -->`;
  const [before, rest] = text.split(marker);
  if (before === undefined || rest === undefined) throw new Error(`the document lacks ${marker}`);
  return `${before}${marker}\n\n${block}\n\n${rest.slice(rest.indexOf('<!-- end -->'))}`;
}

/** docs/options.md with the tables as the code has them now. */
function withTables(text: string): string {
  const known = new Map<string, string>();
  const rows = Object.entries({ ...GLOBAL_OPTIONS, ...STANDARD_OPTIONS }).map(([name, option]) =>
    rowOf(name, option),
  );
  const common = ['| option | meaning | default |', '| --- | --- | --- |', ...rows].join('\n');
  return COMMANDS.reduce(
    (filledSoFar, command) => {
      const usage = `\`\`\`\n${usageLine(command)}\n\`\`\``;
      const block = `${usage}\n\n${blockOf(command, known)}`.trimEnd();
      return filled(filledSoFar, `options of ${nameOf(command)}`, block);
    },
    filled(text, 'options of every command', common),
  );
}

/** docs/measurements.md with the figures that the benchmarks wrote. */
function withFigures(text: string): string {
  return MEASURED.reduce((so, name) => filled(so, `measured: ${name}`, figuresOf(name)), text);
}

/** docs/scale.md with what the assumptions give now. */
function withScale(text: string): string {
  return filled(text, 'computed: scale', scaleText());
}

/** docs/settings.md with the keys of x-mender as the code has them now. */
function withKeys(text: string): string {
  return filled(text, 'keys of x-mender', `${knownSettings().map(code).join(', ')}.`);
}

/** docs/bake.md with the settings of targets as the code has them now. */
function withTargetKeys(text: string): string {
  const keys = Object.keys(TARGET_SETTINGS).filter((name) => name !== 'manifest');
  return filled(text, 'keys of targets', `${keys.map(code).join(', ')}.`);
}

/** The documents with generated parts. */
const GENERATED: Record<string, (text: string) => string> = {
  'docs/options.md': withTables,
  'docs/measurements.md': withFigures,
  'docs/scale.md': withScale,
  'docs/settings.md': withKeys,
  'docs/bake.md': withTargetKeys,
};

/**
 * The documents by their path in the repository, with the generated parts as the code makes them
 * now. So every test but the comparison with the file holds before -u has written the file.
 */
const DOCUMENTS = new Map(
  [...markdownIn('.', false), ...markdownIn('docs', true), ...markdownIn('examples', true)].map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return [path, GENERATED[path]?.(text) ?? text] as const;
  }),
);
const OPTIONS = DOCUMENTS.get('docs/options.md')!;
const SETTINGS = DOCUMENTS.get('docs/settings.md')!;

describe('the documents', () => {
  // `npx vitest run test/docs.test.ts -u` writes the generated parts again.
  it.each(Object.keys(GENERATED))('have the generated parts as the code makes them: %s', async (path) => {
    await expect(DOCUMENTS.get(path)).toMatchFileSnapshot(`../${path}`);
  });

  it.each(COMMANDS.map(nameOf))('have all that --help of %s shows', async (name) => {
    const { stdout } = await runCli([name, '--help']);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, | {4})(--[\w-]+)/gm)].map(([, option]) => option!);
    expect(options.length).toBeGreaterThan(3);
    expect(options.filter((option) => !OPTIONS.includes(`\`${option}\``))).toEqual([]);
  });

  it('call a Compose file neither manifest nor MANIFEST', () => {
    const texts = [...DOCUMENTS].filter(([path]) => !path.startsWith('docs/decisions/'));
    const wrong = texts.filter(([, text]) => /\bMANIFEST\b|<manifest|Compose manifest/.test(text));
    expect(wrong.map(([path]) => path)).toEqual([]);
  });

  const helps = COMMANDS.flatMap((command) => {
    const options = Object.values(optionsOf(command));
    return [command.describe, ...options.map(({ describe: help }) => help)];
  });
  it('are in plain English, and so is the help', () => {
    const texts = [...helps, ...[...DOCUMENTS.values()].flatMap((text) => text.split('\n'))];
    const odd = /\b(whoever|at hand|the own|th(e|is|at) very|to where a|was it made|are none)\b/i;
    expect(helps.length).toBeGreaterThan(100);
    expect(texts.filter((text) => odd.test(text))).toEqual([]);
  });

  it('say what --json prints for every command', () => {
    const [, table] = /prints one document on stdout([^#]*)`build --json` prints/.exec(SETTINGS)!;
    const rows = [...table!.matchAll(/^\| (`.*) \| (.*) \|$/gm)];
    const verbs = rows.flatMap(([, left]) => [...left!.matchAll(/`([a-z]+)/g)].map(([, verb]) => verb!));
    expect([...new Set(verbs)].sort()).toEqual(COMMANDS.map(nameOf).sort());
    const types = [...table!.matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name!);
    const api = readFileSync(join(ROOT, 'docs/api.txt'), 'utf8');
    const isExported = (name: string): boolean => new RegExp(`^export \\w+ ${name}\\b`, 'm').test(api);
    expect(types.filter((name) => !isExported(name))).toEqual([]);
  });

  it('show all keys that build --json prints of an artifact', () => {
    const [, text] = /artifacts: \[\{([\s\S]*?)\n {2}\}\],/.exec(SETTINGS)!;
    // Nested keys go, and what is printed with --explain alone.
    const flat = text!.replace(/\{[^{}]*\}/g, '').replace(/\[\{[^[\]]*\]|\[\{[\s\S]*?\}\]/g, '');
    const keys = [...flat.matchAll(/\b([a-zA-Z]+)\b(?=[,:\s]|$)/g)].map(([, key]) => key!);
    const schema = JSON.parse(readFileSync(join(ROOT, 'docs/build.schema.json'), 'utf8')) as {
      $defs: { BuildReport: { properties: Record<string, unknown> } };
    };
    const printed = Object.keys(schema.$defs.BuildReport.properties).filter((key) => key !== 'sizes');
    expect(printed.filter((key) => !keys.includes(key))).toEqual([]);
  });

  it('have an example of a metadata JSON that can be a base', async () => {
    const [, json] = /```json\n(\{\s+"version"[\s\S]*?)```/.exec(DOCUMENTS.get('docs/bases.md')!)!;
    const path = join(temporaryFolder(), 'base.json');
    writeFileSync(path, json!);
    expect(await readMetadataFile(path)).toEqual(JSON.parse(json!));
  });

  const actions = COMMANDS.flatMap((command) => {
    const { choices = [] } = (command.positionals['action'] ?? {}) as { choices?: readonly string[] };
    return choices.map((action) => [nameOf(command), action] as const);
  });
  it.each(actions)('mention the action: %s %s', (verb, action) => {
    const [, section] = OPTIONS.split(`## \`${verb}\`\n`);
    const all = [...DOCUMENTS.values()].join('\n');
    expect(section!.split('\n## ')[0]!.includes(`\`${action}\``) || all.includes(`${verb} ${action}`)).toBe(
      true,
    );
  });

  const [yaml, compose] = [/```yaml\n([\s\S]*?)```/g, /^examples\/.*\.yaml$/];
  it('pair device types and platforms of one architecture', () => {
    const examples = readdirSync(join(ROOT, 'examples'), { recursive: true, encoding: 'utf8' });
    const files = examples.map((name) => join('examples', name)).filter((name) => compose.test(name));
    const blocks = [...DOCUMENTS.values()].flatMap((text) =>
      [...text.matchAll(yaml)].map(([, block]) => block!),
    );
    const texts = [...blocks, ...files.map((name) => readFileSync(join(ROOT, name), 'utf8'))];
    const arm = texts.filter((text) => text.includes('linux/arm64'));
    expect(arm.length).toBeGreaterThan(4);
    expect(arm.filter((text) => /x86/.test(text))).toEqual([]);
  });

  it('have every exit code', () => {
    const codes = DOCUMENTS.get('docs/exit-codes.md')!.matchAll(/^\| (\d+) \|/gm);
    expect([...codes].map(([, exit]) => Number(exit))).toEqual(Object.values(EXIT));
  });

  it('show an error as the tool prints it', async () => {
    const { stderr } = await runCli(['deploy', 'shop-1.1.0']);
    expect(DOCUMENTS.get('docs/exit-codes.md')).toContain(
      `$ mender-docker-delta deploy shop-1.1.0\n${stderr}`,
    );
  });

  describe('about destination maps', () => {
    const text = DOCUMENTS.get('docs/destinations.md')!;
    const [map, profiles] = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, yaml]) => parseYaml(yaml!) as unknown,
    );
    const [entry] = map as [MapEntry];

    it('have an example without a problem', () => {
      expect(lintMap(map)).toEqual({ errors: [], warnings: [] });
    });

    it('have an example of the accounts that the map names', async () => {
      const path = join(temporaryFolder(), 'config.yaml');
      writeFileSync(path, JSON.stringify(profiles));
      const { servers } = await readProfiles(path, { optional: false });
      expect([...servers.keys()]).toEqual(Object.keys(entry.mappings));
    });

    const required = [...text.matchAll(/Required keys of an? (entry|destination) are ([^.]*)\./g)];
    const keys = required.flatMap(([, of, list]) =>
      [...list!.matchAll(/`(\w+)`/g)].map(([, key]) => [of!, key!] as const),
    );
    it.each(keys)('name a key of an %s that must not be missing: %s', (of, key) => {
      const changed = structuredClone(entry);
      Reflect.deleteProperty(of === 'entry' ? changed : changed.mappings['europe']!.destinations[0]!, key);
      expect(lintMap([changed]).errors).not.toEqual([]);
    });

    it('name all keys that must not be missing', () => {
      expect(keys.map(([, key]) => key).sort()).toEqual(requiredKeys(entry));
    });
  });

  it('show the rule of the environment variables by an example that holds', async () => {
    expect(SETTINGS).toContain('MENDER_DOCKER_DELTA_DEVICE_TYPE=raspberrypi4,raspberrypi5');
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: example.test/web:1}}\n');
    const run = await runCli(['plan', folder], { MENDER_DOCKER_DELTA_PLATFORM: 'linux/arm64' });
    expect(run.stderr).toContain('no device type is given');
  });

  it.each([...DOCUMENTS.keys()].filter((path) => !OTHER_PROGRAMS.includes(path)))(
    'mention only options that exist: %s',
    (path) => {
      // Command lines of other programs are quoted.
      const text = DOCUMENTS.get(path)!.replace(/`'[^`]*'`/g, '');
      const mentioned = [...text.matchAll(/(?<![\w-])--([a-z0-9][\w-]*\w)/g)].map(([, name]) => name!);
      expect([...new Set(mentioned)].filter((name) => !isKnown(name) && !FOREIGN.includes(name))).toEqual([]);
    },
  );

  it.each([...DOCUMENTS.keys()])('have commands that the tool reads: %s', (path) => {
    for (const line of commandsIn(DOCUMENTS.get(path)!)) {
      const choice = chooseCommand(wordsOfShell(line), {
        commands: COMMANDS,
        common: GLOBAL_OPTIONS,
        exists: () => true,
      });
      if (choice.kind !== 'run') continue;
      const options = { ...choice.command.options, ...GLOBAL_OPTIONS };
      expect(() => parseWords({ ...choice.command, options }, choice.words), line).not.toThrow();
    }
  });

  it.each([...DOCUMENTS.keys()])('link to files and headings that exist: %s', (path) => {
    const links = [...DOCUMENTS.get(path)!.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/g)];
    const broken = links.filter(([, to, heading]) => !leadsSomewhere(path, to!, heading));
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it.each([...DOCUMENTS.keys()].filter(isPackaged))('lead to files of the package: %s', (path) => {
    const links = [...DOCUMENTS.get(path)!.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)];
    const targets = links.map(([, to]) => relative(ROOT, resolve(ROOT, dirname(path), to!)));
    expect(targets.filter((target) => !isPackaged(target))).toEqual([]);
  });

  it.each([...DOCUMENTS.keys()])('name files of the repository that exist: %s', (path) => {
    const addresses = DOCUMENTS.get(path)!.matchAll(
      /https:\/\/github\.com\/([\w-]+)\/\1\/blob\/main\/([^)\s#]+)/g,
    );
    const paths = [...addresses].map(([, , file]) => file!);
    expect(paths.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it('begin with a README that is read in a few minutes', () => {
    expect(DOCUMENTS.get('README.md')!.split('\n').length).toBeLessThanOrEqual(200);
  });
});

/** The command lines in blocks of code, and those in a sentence; not the forms of the commands. */
function commandsIn(text: string): string[] {
  const lines = text.replace(/\\\n\s*/g, '').split('\n');
  const typed = lines.flatMap((line) => /^(?:\$ )?mender-docker-delta (.*)$/.exec(line)?.[1] ?? []);
  const quoted = [...text.matchAll(/`mender-docker-delta ([^`\n]+)`/g)].map(([, line]) => line!);
  const forms = COMMANDS.map((command) => usageLine(command).replace('mender-docker-delta ', ''));
  return [...typed, ...quoted].filter((line) => ![...forms, 'help COMMAND'].includes(line));
}

/** The words of a command line, without its comment and what it is redirected to. */
function wordsOfShell(line: string): string[] {
  const words = line.replace(/ [#<>|] .*$/, '').match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/["']/g, ''));
}

type MapEntry = Record<string, unknown> & {
  mappings: Record<string, { destinations: Record<string, unknown>[] }>;
};

/** The keys of an entry and its first destination without which lint has errors. */
function requiredKeys(entry: MapEntry): string[] {
  const places = [
    (one: MapEntry): Record<string, unknown> => one,
    (one: MapEntry) => Object.values(one.mappings)[0]!.destinations[0]!,
  ];
  const keys = places.flatMap((place) =>
    Object.keys(place(entry)).filter((key) => {
      const changed = structuredClone(entry);
      Reflect.deleteProperty(place(changed), key);
      return lintMap([changed]).errors.length > 0;
    }),
  );
  return keys.sort();
}

/** The documents about the options of other programs and about changes. */
const OTHER_PROGRAMS = ['docs/migration.md', 'CHANGELOG.md', 'CONTRIBUTING.md'];

function leadsSomewhere(from: string, to: string, heading: string | undefined): boolean {
  const target = to === '' ? from : relative(ROOT, resolve(ROOT, dirname(from), to));
  if (heading === undefined) return existsSync(join(ROOT, target));
  return headingsOf(DOCUMENTS.get(target) ?? '').includes(heading);
}

/** True for a file of the package, and for a folder of which all files are. */
function isPackaged(path: string): boolean {
  return PACKAGE.files.some((file) => path === file || path.startsWith(`${file}/`));
}

/** The anchors that GitHub gives to the headings of a document. */
function headingsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

const EVERY = [...Object.keys(GLOBAL_OPTIONS), ...Object.keys(STANDARD_OPTIONS)];
/** Options of other programs that the documents mention. */
const FOREIGN = [
  'large',
  'global',
  'tag',
  'rm',
  'volume',
  'env',
  'user',
  'seconds',
  'seed',
  'format',
  'gcp-kms-key',
];

function isKnown(name: string): boolean {
  const names = [...EVERY, ...COMMANDS.flatMap((command) => Object.keys(optionsOf(command)))];
  return names.includes(name) || names.includes(name.replace(/^no-/, ''));
}

/** The keys as the error for an unknown one lists them. */
function knownSettings(): string[] {
  try {
    withComposeSettings({}, { nonsense: 1 });
  } catch (error) {
    if (error instanceof UsageError) return error.hint!.replace('it may hold: ', '').split(', ');
    throw error;
  }
  throw new Error('an unknown key was taken');
}

interface Action {
  inputs: Record<string, { description: string; default?: string }>;
  runs: { steps: { id?: string; run: string; env?: Record<string, string> }[] };
}

const BUILD = COMMANDS.find((command) => nameOf(command) === 'build')!;
const BAKE = COMMANDS.find((command) => nameOf(command) === 'bake')!;
/** Options of `bake` that the action has under another name, or has no use for. */
const NOT_INPUTS = ['file', 'print', 'list-matrix'];

/**
 * Replaces the lines between the comment that begins with `start` and the next `# end of options`.
 */
function between(text: string, start: string, lines: readonly string[]): string {
  const from = text.indexOf('\n', text.indexOf(start)) + 1;
  const end = text.indexOf('# end of options', from);
  return `${text.slice(0, from)}${lines.join('\n')}\n${text.slice(end)}`;
}

const ACTION = await generatedAction(readFileSync(join(ROOT, 'action.yml'), 'utf8'));

/** The options that are inputs of the action: those of `build`, and what `bake` has in addition. */
function inputOptions(): [string, Option][] {
  const known = new Set([...Object.keys(optionsOf(BUILD)), ...NOT_INPUTS]);
  const more = Object.entries(optionsOf(BAKE)).filter(([name]) => !known.has(name));
  const ofBake = more.map(([name, option]): [string, Option] => {
    return [name, { ...option, describe: `With bake: ${option.describe}` }];
  });
  return [...Object.entries(optionsOf(BUILD)), ...ofBake];
}

/** action.yml with an input for every such option, handed over by its environment variable. */
async function generatedAction(action: string): Promise<string> {
  const options = inputOptions();
  const inputs = options.map(([name, { describe: what, choices }]) => {
    const values = choices === undefined ? '' : `: ${choices.join(', ')}`;
    return `  ${name}:\n    description: ${JSON.stringify(what + values)}`;
  });
  const variables = options.map(([name]) => {
    return `        MENDER_DOCKER_DELTA_${name.toUpperCase().replaceAll('-', '_')}: \${{ inputs.${name} }}`;
  });
  const text = between(between(action, '# The options of build', inputs), '# One variable', variables);
  const path = join(ROOT, 'action.yml');
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

describe('action.yml', () => {
  // -u writes it again as well.
  it('has an input for every option of build and bake', async () => {
    await expect(ACTION).toMatchFileSnapshot('../action.yml');
  });

  it('hands the manifest, the targets and the token over as well', () => {
    const { inputs, runs } = parseYaml(ACTION) as Action;
    const own = ['manifest', 'bake', 'bake-file', 'bake-matrix', 'token'];
    expect(Object.keys(inputs)).toEqual([...own, ...inputOptions().map(([name]) => name)]);
    expect(inputs).toMatchObject({ set: {}, shard: {}, jobs: {} });
    const environment = Object.values(runs.steps.find(({ id }) => id === 'build')!.env!);
    expect(environment).toEqual(Object.keys(inputs).map((name) => `\${{ inputs.${name} }}`));
  });

  it('never puts an input into a script', () => {
    for (const { run } of (parseYaml(ACTION) as Action).runs.steps) expect(run).not.toContain('${{');
  });
});
