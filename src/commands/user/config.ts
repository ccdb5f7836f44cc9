import { nonEmpty } from '../terminal/home.ts';
import { defineCommand, variableName } from '../terminal/command.ts';
import type { Context } from '../terminal/command.ts';
import { formatTable } from '../terminal/format.ts';
import { UserError } from '../../errors.ts';
import { SERVER_OPTIONS } from '../options/server.ts';
import type { ServerFlags } from '../options/server.ts';
import { DEFAULT_KEYS, chooseHost, readUserSettings } from '../options/userSettings.ts';
import type { UserSettings } from '../options/userSettings.ts';
import { DEFAULT_HOST } from '../../server/host.ts';
import { findToken } from '../../server/token.ts';

interface Setting {
  name: string;
  /** Null if nobody sets it. Never a secret. */
  value: string | null;
  origin: string;
}

/** `config show` */
export const configCommand = defineCommand({
  usage: 'config <action>',
  describe: 'Show the settings of this user and where they come from; shows no secret',
  examples: [['$0 config show', 'which server and which defaults a command would use']],
  positionals: { action: { choices: ['show'], demandOption: true, describe: 'What to do' } },
  options: SERVER_OPTIONS,
  async run(flags, context) {
    const user = await readUserSettings(context);
    const settings = [
      await hostSetting(user, flags, context),
      ...defaultSettings(user, context),
      await tokenSetting(flags.menderHost ?? DEFAULT_HOST, flags, context),
    ];
    const servers = [...user.profiles.servers].map(([name, { host }]) => ({ name, host }));
    const rows = settings.map(({ name, value, origin }) => [name, value ?? '', origin]);
    const named = servers.map(({ name, host }) => [`server ${name}`, host, user.path]);
    context.report(
      { path: user.path, settings, servers },
      formatTable(['setting', 'value', 'from'], [...rows, ...named]),
    );
  },
});

async function hostSetting(
  user: UserSettings,
  { menderHost }: ServerFlags,
  context: Context,
): Promise<Setting> {
  const given = nonEmpty(context.environment[variableName('mender-host')]);
  const chosen = await chooseHost(given, user, context);
  const { host = DEFAULT_HOST, origin = 'the default' } = chosen ?? {};
  if (menderHost !== undefined && menderHost !== host)
    return { name: 'mender-host', value: menderHost, origin: '--mender-host' };
  return { name: 'mender-host', value: host, origin };
}

function defaultSettings({ defaults, path }: UserSettings, { environment }: Context): Setting[] {
  return DEFAULT_KEYS.map((name) => {
    const variable = variableName(name);
    const fromVariable = nonEmpty(environment[variable]);
    const value = fromVariable ?? defaults[name];
    const isHidden = fromVariable !== undefined && defaults[name] !== undefined;
    const fromFile = value === undefined ? 'not set' : path;
    const origin = isHidden
      ? `${variable}, before ${path}`
      : fromVariable === undefined
        ? fromFile
        : variable;
    return { name, value: value === undefined ? null : [value].flat().join(', '), origin };
  });
}

async function tokenSetting(
  host: string,
  flags: { tokenFile?: string },
  { environment, tokens = environment }: Context,
): Promise<Setting> {
  try {
    const found = await findToken(tokens, flags.tokenFile, host);
    return { name: 'token', value: found === undefined ? null : 'set', origin: found?.source ?? 'not set' };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name: 'token', value: null, origin: error.message };
  }
}
