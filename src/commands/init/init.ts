import { writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { readApplication } from '../../compose/application.ts';
import { UsageError } from '../../errors.ts';
import { writeAtomically } from '../../io/files.ts';
import { readUserFile, readUserFileIfAny } from '../../io/readUserFile.ts';
import { checkVersion } from '../../pipeline/base/names.ts';
import { chooseSettings } from './chooseSettings.ts';
import type { Settings } from './chooseSettings.ts';
import { chooseCi } from './chooseCi.ts';
import { CI_SYSTEMS } from './ciFiles.ts';
import type { Change } from './placeChanges.ts';
import { placeChanges } from './placeChanges.ts';
import { placeCiFile, topOf } from './placeCiFile.ts';
import { withSettings } from './withSettings.ts';
import { BUILD_OPTIONS } from '../options/build.ts';
import { defineCommand } from '../terminal/command.ts';
import { shellWord } from '../terminal/shellWord.ts';

const { 'device-type': deviceType, platform, module, 'manifest-name': manifestName } = BUILD_OPTIONS;

const OPTIONS = {
  'manifest-name': { ...manifestName, defaultDescription: "the Compose file's name, else the folder's" },
  'device-type': deviceType,
  platform,
  module: { ...module, defaultDescription: 'that of config.yaml, else docker-compose' },
  'first-version': {
    type: 'string',
    describe: 'Content of the file VERSION, if there is none',
    defaultDescription: '1.0.0',
  },
  ci: { choices: CI_SYSTEMS, placeholder: 'SYSTEM', describe: 'Write the file for this CI system, too' },
} as const;

const POSITIONALS = {
  manifest: {
    type: 'string',
    placeholder: 'COMPOSE-FILE',
    describe: 'Compose file, or its folder; the working folder if it is left out',
  },
} as const;

/** `init [COMPOSE-FILE]` */
export const initCommand = defineCommand({
  usage: 'init [manifest]',
  describe: 'Prepare a Compose project: write x-mender, VERSION and .gitignore. Asks on a terminal',
  examples: [
    ['$0 init', 'ask for what is needed, and propose answers'],
    ['$0 init -t raspberrypi4 -p linux/arm64 --ci github', 'ask nothing'],
  ],
  positionals: POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    const manifest = resolve(context.folder, flags.manifest ?? '.');
    const application = await readApplication({
      composeFiles: [manifest],
      profiles: ['*'],
      environment: context.environment,
    });
    const { projectFolder, files } = application;
    const [file = manifest] = files;
    const asked = { ...flags, 'manifest-name': flags.manifestName, 'device-type': flags.deviceType };
    const settings = await chooseSettings(asked, application, context);
    const top = await topOf(projectFolder);
    const ci = flags.ci ?? (await chooseCi(top, context));
    // All is decided before the first file is written.
    const changes = [
      await settingsChange(file, settings),
      await versionChange(join(projectFolder, 'VERSION'), flags.firstVersion),
      await ignoreChange(join(projectFolder, '.gitignore')),
      ci === undefined ? undefined : await placeCiFile(ci, projectFolder, manifest),
    ].filter((change) => change !== undefined);
    const placed = await placeChanges(changes, top);
    for (const { path, text } of placed) await writeAtomically(path, (name) => writeFile(name, text));
    const written = changes.map(({ path }) => path);
    const names = written.map((path) => relative(context.folder, path) || path);
    const next = `mender-docker-delta build ${shellWord(relative(context.folder, manifest) || '.')} --no-delta --release`;
    const text = names.length === 0 ? 'nothing to do: all is there' : `wrote ${names.join(', ')}`;
    context.report({ written, settings, next }, `${text}\nnext: ${next}`);
  },
});

/** Nothing if the Compose file has all settings already. */
async function settingsChange(path: string, settings: Settings): Promise<Change | undefined> {
  const before = (await readUserFile(path, { doing: `reading ${path}` })).toString('utf8');
  const text = withSettings(before, { ...settings });
  return text === before ? undefined : { path, text };
}

/** Throws UsageError if the file has another version than the one that is asked for. */
async function versionChange(path: string, asked: string | undefined): Promise<Change | undefined> {
  const version = checkVersion(asked ?? '1.0.0', '--first-version');
  const found = (await readUserFileIfAny(path))?.toString('utf8').trim();
  if (found === undefined) return { path, text: `${version}\n` };
  if (asked === undefined || asked === found) return undefined;
  throw new UsageError(`--first-version ${asked}: ${path} says ${JSON.stringify(found)}`, {
    hint: 'change the file, or leave out --first-version',
  });
}

/** Artifacts, their SBOM and provenance, and reports about them do not belong into git. */
async function ignoreChange(path: string): Promise<Change | undefined> {
  const before = (await readUserFileIfAny(path))?.toString('utf8') ?? '';
  const there = before.split(/\r?\n/);
  const missing = ['*.mender', '*.mender.*', '*.report.html'].filter((line) => !there.includes(line));
  if (missing.length === 0) return undefined;
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  return { path, text: `${before}${separator}${missing.join('\n')}\n` };
}
