import { basename } from 'node:path';
import type { Application } from '../../compose/application.ts';
import { UsageError, nextStep } from '../../errors.ts';
import { MODULES } from '../../mender/spec.ts';
import type { Platform } from '../../oci/platform.ts';
import { IMAGE_ARCHITECTURES, formatPlatform, parsePlatforms } from '../../oci/platform.ts';
import { checkApplicationName, nameFrom } from '../../pipeline/base/applicationName.ts';
import { didYouMean, oneOf } from '../../io/suggest.ts';
import { commonPlatform } from './commonPlatform.ts';
import { requireTypeAndPlatform } from '../options/request.ts';
import { readUserSettings } from '../options/userSettings.ts';
import { ask, canAsk } from '../terminal/ask.ts';
import type { Context } from '../terminal/command.ts';

/** What `init` writes under `x-mender`. */
export interface Settings {
  'manifest-name': string;
  'device-type': string[];
  platform: string[];
  module: string;
}

type Key = keyof Settings;

/** The values of one setting by where they come from. Empty where nobody says anything. */
interface Sources {
  flags: string[];
  composeFile: string[];
  /** The proposed answer; what holds if nobody can be asked. */
  usual: () => Promise<string[]>;
}

const QUESTIONS: Record<Key, { text: string; check: (value: string) => string | string[] }> = {
  'manifest-name': { text: 'Name of the application', check: checkApplicationName },
  'device-type': {
    text: 'Device type (/var/lib/mender/device_type; A,B for several)',
    check: String,
  },
  platform: {
    text: 'Platform (linux/arm64, linux/arm/v7, linux/amd64)',
    check: (value) => parsePlatforms([value]).map(knownPlatform),
  },
  module: { text: `Update module (${oneOf(MODULES)})`, check: knownModule },
};

/** The values as they are written, each once. */
function checked(key: Key, values: readonly string[]): string[] {
  return [...new Set(values.flatMap(QUESTIONS[key].check))];
}

/**
 * Returns what the Compose files say, completed by the flags, then by answers on a terminal, then
 * by the user's configuration, then by what the registries of the images say. Throws UsageError for
 * a flag that contradicts the Compose files, and for settings that nobody names.
 */
export async function chooseSettings(
  flags: Readonly<Partial<Record<Key, unknown>>>,
  application: Application,
  context: Context,
): Promise<Settings> {
  const { defaults } = await readUserSettings(context);
  const choose = (key: Key, ...usual: (() => unknown)[]): Promise<string[]> => {
    const composeFile = textsOf(application.settings[key]);
    const sources = { flags: textsOf(flags[key]), composeFile, usual: () => firstSet(usual) };
    return chooseFrom(key, sources, application.files, context);
  };
  const { services } = application;
  const settings = {
    'manifest-name': firstOf(await choose('manifest-name', () => nameOf(application))),
    'device-type': await choose('device-type', () => defaults['device-type']),
    platform: await choose(
      'platform',
      () => defaults['platform'],
      () => services.map(({ platform }) => platform),
      () => commonPlatform(imagesOf(application), context),
    ),
    module: firstOf(await choose('module', () => defaults['module'] ?? 'docker-compose')),
  };
  requireTypeAndPlatform({ deviceType: settings['device-type'], platform: settings.platform });
  return settings;
}

function nameOf({ projectName, projectFolder }: Application): string {
  return projectName ?? nameFrom(basename(projectFolder));
}

function imagesOf({ services }: Application): string[] {
  return services.flatMap(({ image }) => (image === undefined || image === '' ? [] : [image]));
}

/** The values of the first place that has some. The later places are not asked then. */
async function firstSet(places: readonly (() => unknown)[]): Promise<string[]> {
  for (const place of places) {
    const texts = textsOf(await place());
    if (isSet(texts)) return texts;
  }
  return [];
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
  const asked = checked(key, flags);
  const found = checked(key, composeFile);
  if (isSet(found)) {
    refuseOther(key, asked, found, files);
    return found;
  }
  if (isSet(asked)) return asked;
  const proposed = await usual();
  return canAsk() && !context.json ? askFor(key, proposed, context) : checked(key, proposed);
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
  if (isSet(values)) return checked(key, values);
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
