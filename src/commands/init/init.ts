import { writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { readApplication } from '../../compose/application.ts';
import type { Application } from '../../compose/application.ts';
import { UsageError } from '../../errors.ts';
import { ensureFolder, fileError, fileSize, writeAtomically } from '../../io/files.ts';
import { readUserFile, readUserFileIfAny } from '../../io/readUserFile.ts';
import { MODULES } from '../../mender/spec.ts';
import { formatPlatform, parsePlatform } from '../../oci/platform.ts';
import { CI_SYSTEMS, ciFile } from './ciFiles.ts';
import { withSettings } from './withSettings.ts';
import { didYouMean, oneOf } from '../line/suggest.ts';
import { BUILD_OPTIONS } from '../options/build.ts';
import { readUserSettings } from '../options/userSettings.ts';
import { ask, canAsk } from '../terminal/ask.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';

const { 'device-type': deviceType, platform, module, 'manifest-name': manifestName } = BUILD_OPTIONS;

const OPTIONS = {
  'manifest-name': { ...manifestName, defaultDescription: "the Compose file's name, else the folder's" },
  'device-type': deviceType,
  platform,
  module,
  'first-version': {
    type: 'string',
    describe: 'Content of the file VERSION, if there is none',
    defaultDescription: '1.0.0',
  },
  ci: { choices: CI_SYSTEMS, placeholder: 'SYSTEM', describe: 'Write the file for this CI system, too' },
} as const;

const POSITIONALS = {
  folder: { type: 'string', describe: 'Folder of the Compose file; the working folder if it is left out' },
} as const;

type Flags = FlagsOf<typeof POSITIONALS & typeof OPTIONS>;

/** `init [FOLDER]` */
export const initCommand = defineCommand({
  usage: 'init [folder]',
  describe: 'Prepare a Compose project: write x-mender, VERSION and .gitignore. Asks on a terminal',
  examples: [
    ['$0 init', 'ask for what is needed, and propose answers'],
    ['$0 init -t raspberrypi4 -p linux/arm64 --ci github', 'ask nothing'],
  ],
  positionals: POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    const folder = resolve(context.folder, flags.folder ?? '.');
    const application = await readApplication({
      composeFiles: [folder],
      profiles: ['*'],
      environment: context.environment,
    });
    const [file] = application.files;
    if (file === undefined) throw new UsageError(`folder ${folder} has no Compose file`);
    const settings = await chosenSettings(flags, application, context);
    const written = [
      ...(await writeSettings(file, settings)),
      ...(await writeIfMissing(
        join(application.projectFolder, 'VERSION'),
        `${flags.firstVersion ?? '1.0.0'}\n`,
      )),
      ...(await ignoreArtifacts(join(application.projectFolder, '.gitignore'))),
      ...(await writeCi(flags, application.projectFolder)),
    ];
    const names = written.map((path) => relative(context.folder, path) || path);
    const next = `mender-docker-delta build ${relative(context.folder, folder) || '.'} --no-delta --release`;
    const text = names.length === 0 ? 'nothing to do: all is there' : `wrote ${names.join(', ')}`;
    context.report({ written, settings, next }, `${text}\nnext: ${next}`);
  },
});

type Settings = Record<'manifest-name' | 'device-type' | 'platform' | 'module', string>;

/** Flags first, then what the Compose file says, then answers, then the user's configuration. */
async function chosenSettings(flags: Flags, application: Application, context: Context): Promise<Settings> {
  const { defaults } = await readUserSettings(context);
  const own = (key: keyof Settings): string => firstText(application.settings[key]);
  const name = application.projectName ?? basename(application.projectFolder);
  const platforms = application.services.flatMap(({ platform: one }) => (one === undefined ? [] : [one]));
  const usualModule = firstText(defaults['module']) || 'docker-compose';
  const choose = (key: keyof Settings, given: string | undefined, question: string, usual: string) =>
    chosen({ key, given: given ?? own(key), question, usual }, context);
  return {
    'manifest-name': await choose('manifest-name', flags.manifestName, 'Name of the application', name),
    'device-type': await choose(
      'device-type',
      flags.deviceType?.[0],
      'Device type (cat /var/lib/mender/device_type on a device)',
      firstText(defaults['device-type']),
    ),
    platform: formatPlatform(
      parsePlatform(
        await choose(
          'platform',
          flags.platform,
          'Platform of the devices (linux/arm64, linux/arm/v7, linux/amd64)',
          firstText(defaults['platform']) || (platforms[0] ?? ''),
        ),
      ),
    ),
    module: knownModule(
      await choose('module', flags.module, `Update module of the devices (${oneOf(MODULES)})`, usualModule),
    ),
  };
}

function firstText(value: unknown): string {
  const [first] = [value].flat();
  return typeof first === 'string' || typeof first === 'number' ? String(first) : '';
}

interface Question {
  key: keyof Settings;
  /** What is known already. Empty if nothing is. */
  given: string;
  question: string;
  usual: string;
}

/** Throws UsageError if nothing is known and nobody can be asked. */
async function chosen({ key, given, question, usual }: Question, context: Context): Promise<string> {
  if (given !== '') return given;
  const answer = canAsk() && !context.json ? await ask(question, usual, context.signal) : usual;
  if (answer !== '') return answer;
  throw new UsageError(`no ${key} is given`, { hint: `add --${key}; see mender-docker-delta help init` });
}

function knownModule(name: string): string {
  if (MODULES.some((known) => known === name)) return name;
  throw new UsageError(`module ${JSON.stringify(name)}: expected ${oneOf(MODULES)}`, {
    hint: didYouMean(name, MODULES) ?? 'add --module',
  });
}

/** Writes the settings into the Compose file. Returns its path, or nothing if it has them already. */
async function writeSettings(path: string, settings: Settings): Promise<string[]> {
  const before = (await readUserFile(path, { doing: `reading ${path}` })).toString('utf8');
  const after = withSettings(before, settings);
  if (after === before) return [];
  await writeAtomically(path, (temporary) => writeFile(temporary, after));
  return [path];
}

async function writeIfMissing(path: string, text: string): Promise<string[]> {
  if ((await fileSize(path)) !== undefined) return [];
  await ensureFolder(dirname(path));
  await writeFile(path, text, { flag: 'wx' }).catch((error: unknown) => {
    throw fileError(error, `writing ${path}`);
  });
  return [path];
}

/** Artifacts do not belong into git. */
async function ignoreArtifacts(path: string): Promise<string[]> {
  const before = (await readUserFileIfAny(path))?.toString('utf8') ?? '';
  if (/^\*\.mender$/m.test(before)) return [];
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  await writeFile(path, `${before}${separator}*.mender\n`);
  return [path];
}

async function writeCi({ ci }: Flags, folder: string): Promise<string[]> {
  if (ci === undefined) return [];
  const { path, text } = ciFile(ci);
  return writeIfMissing(join(folder, path), text);
}
