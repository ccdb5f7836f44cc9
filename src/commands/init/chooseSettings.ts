import { basename } from 'node:path';
import type { Application } from '../../compose/application.ts';
import { UsageError, nextStep } from '../../errors.ts';
import { MODULES } from '../../mender/spec.ts';
import type { Platform } from '../../oci/platform.ts';
import { IMAGE_ARCHITECTURES, formatPlatform, parsePlatforms } from '../../oci/platform.ts';
import { checkApplicationName, nameFrom } from '../../pipeline/base/applicationName.ts';
import { didYouMean, oneOf } from '../../io/suggest.ts';
import { readUserSettings } from '../options/userSettings.ts';
import { ask, canAsk } from '../terminal/ask.ts';
import type { Context } from '../terminal/command.ts';

/** What `init` writes under `x-mender`. */
export interface Settings {
  'manifest-name': string;
  'device-type': string[];
  platform: string;
  module: string;
}

type Key = keyof Settings;

/** The values of one setting by where they come from. Empty where nobody says anything. */
interface Sources {
  flags: string[];
  composeFile: string[];
  /** The proposed answer; what holds if nobody can be asked. */
  usual: string[];
}

const QUESTIONS: Record<Key, { text: string; check: (value: string) => string }> = {
  'manifest-name': { text: 'Name of the application', check: checkApplicationName },
  'device-type': {
    text: 'Device type (/var/lib/mender/device_type; A,B for several)',
    check: String,
  },
  platform: {
    text: 'Platform (linux/arm64, linux/arm/v7, linux/amd64)',
    check: (value) => parsePlatforms([value]).map(knownPlatform).join(','),
  },
  module: { text: `Update module (${oneOf(MODULES)})`, check: knownModule },
};

/**
 * Returns what the Compose files say, completed by the flags, then by answers on a terminal, then by
 * the user's configuration. Throws UsageError for a flag that contradicts the Compose files, and for
 * a setting that nobody names.
 */
export async function chooseSettings(
  flags: Readonly<Partial<Record<Key, unknown>>>,
  application: Application,
  context: Context,
): Promise<Settings> {
  const { defaults } = await readUserSettings(context);
  const choose = (key: Key, usual: readonly unknown[]): Promise<string[]> => {
    const composeFile = textsOf(application.settings[key]);
    const sources = { flags: textsOf(flags[key]), composeFile, usual: usual.map(textsOf).find(isSet) ?? [] };
    return chooseFrom(key, sources, application.files, context);
  };
  const name = application.projectName ?? nameFrom(basename(application.projectFolder));
  const platforms = application.services.map(({ platform }) => platform);
  return {
    'manifest-name': firstOf(await choose('manifest-name', [name])),
    'device-type': await choose('device-type', [defaults['device-type']]),
    platform: firstOf(await choose('platform', [defaults['platform'], ...platforms])),
    module: firstOf(await choose('module', [defaults['module'], 'docker-compose'])),
  };
}

function isSet(values: readonly string[]): boolean {
  return values.length > 0;
}

function firstOf([first = '']: readonly string[]): string {
  return first;
}

/** The texts and numbers of a value or a list of values, without the empty ones. */
function textsOf(value: unknown): string[] {
  const values: unknown[] = [value].flat();
  const texts = values.map((one) => (typeof one === 'string' || typeof one === 'number' ? String(one) : ''));
  return [...new Set(texts.filter((text) => text !== ''))];
}

async function chooseFrom(
  key: Key,
  { flags, composeFile, usual }: Sources,
  files: readonly string[],
  context: Context,
): Promise<string[]> {
  const { check } = QUESTIONS[key];
  const asked = flags.map(check);
  const found = composeFile.map(check);
  if (isSet(found)) {
    refuseOther(key, asked, found, files);
    return found;
  }
  if (isSet(asked)) return asked;
  if (canAsk() && !context.json) return askFor(key, usual, context);
  if (isSet(usual)) return usual.map(check);
  throw new UsageError(`no ${key} is given`, { hint: `add --${key}; see mender-docker-delta help init` });
}

/** The order of a list does not matter. */
function refuseOther(
  key: Key,
  asked: readonly string[],
  found: readonly string[],
  files: readonly string[],
): void {
  if (asked.length === 0 || [...asked].sort().join('\n') === [...found].sort().join('\n')) return;
  throw new UsageError(
    `--${key} ${asked.join(', ')}: x-mender of ${files.join(', ')} says ${found.join(', ')}`,
    { hint: `change ${key} in the file, or leave out --${key}` },
  );
}

/** Asks until the answer is valid. */
async function askFor(key: Key, usual: readonly string[], context: Context): Promise<string[]> {
  for (;;) {
    const answer = await ask(QUESTIONS[key].text, usual.join(', '), context.signal);
    try {
      return parseAnswer(key, answer);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      context.log.warning([error.message, nextStep(error)].filter(Boolean).join(': '));
    }
  }
}

function parseAnswer(key: Key, answer: string): string[] {
  const words = key === 'device-type' ? answer.split(',').map((word) => word.trim()) : [answer];
  const values = textsOf(words);
  if (isSet(values)) return values.map(QUESTIONS[key].check);
  throw new UsageError(`${key} is needed`);
}

/** A build could not find images for a misspelled architecture. */
function knownPlatform(platform: Platform): string {
  const { architecture } = platform;
  const text = formatPlatform(platform);
  if (IMAGE_ARCHITECTURES.includes(architecture)) return text;
  throw new UsageError(`platform ${text}: there are no images for the architecture ${architecture}`, {
    hint: didYouMean(architecture, IMAGE_ARCHITECTURES) ?? `use one of ${oneOf(IMAGE_ARCHITECTURES)}`,
  });
}

function knownModule(name: string): string {
  if (MODULES.some((known) => known === name)) return name;
  throw new UsageError(`module ${JSON.stringify(name)}: expected ${oneOf(MODULES)}`, {
    hint: didYouMean(name, MODULES) ?? 'add --module',
  });
}
