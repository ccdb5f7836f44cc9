import { UsageError } from '../../errors.ts';
import { registerSecret } from '../../io/redact.ts';
import { logIn } from '../../server/login.ts';
import { isSameHost, storeToken, tokenPath } from '../../server/token.ts';
import { ask, canAsk } from '../terminal/ask.ts';
import { defineCommand, variableName } from '../terminal/command.ts';
import type { Context } from '../terminal/command.ts';
import { chooseHost, readCliConfiguration, readUserSettings } from '../options/userSettings.ts';
import { nonEmpty } from '../terminal/home.ts';
import { readPassword } from '../terminal/password.ts';
import { warnOfClearText } from '../../server/host.ts';
import { SERVER_OPTIONS, serverHost } from '../options/server.ts';

/** `login --username USER` */
export const loginCommand = defineCommand({
  usage: 'login',
  describe: 'Log in to a Mender server and keep the token where mender-cli keeps it',
  examples: [
    ['$0 login -h https://mender.example.com', 'asks for user and password; other commands use this server'],
    ['$0 login --username me@example.com --2fa-code 123456 < password.txt', 'in a script'],
  ],
  positionals: {},
  options: {
    username: {
      type: 'string',
      describe: 'Name (email) of the user',
      defaultDescription: 'asked for, or from ~/.mender-clirc',
    },
    password: {
      type: 'string',
      isSecret: true,
      describe: 'Password',
      defaultDescription: 'asked for, or from stdin',
    },
    '2fa-code': { type: 'string', describe: 'Current code of the second factor' },
    ...SERVER_OPTIONS,
    'token-file': { ...SERVER_OPTIONS['token-file'], describe: 'File to keep the token in' },
  },
  async run(flags, context) {
    const { environment, http, log, signal } = context;
    registerSecret(flags.password);
    const user = flags.username ?? (await userName(context));
    const [host, path] = [serverHost(flags), flags.tokenFile ?? tokenPath(environment)];
    if (path === undefined)
      throw new UsageError('HOME is not set', { hint: 'say where to keep the token: --token-file' });
    const password = flags.password ?? (await readPassword(`Password of ${user}: `));
    const credentials = { user, password, twoFactorCode: flags['2faCode'] };
    warnOfClearText(host, log);
    const token = await logIn(http, host, credentials, signal);
    await storeToken(path, token, host);
    const isUsual = flags.tokenFile === undefined;
    const obstacle = isUsual ? await whatHides(host, context) : undefined;
    const use = isUsual && obstacle === undefined ? ', which other commands use from now on' : '';
    context.report({ host, tokenFile: path }, `logged in to ${host}${use}; the token is in ${path}`);
    if (obstacle !== undefined) log.warning(`other commands do not use this login: ${obstacle}`);
  },
});

/** What keeps other commands from the usual token file of this server. Undefined for nothing. */
async function whatHides(host: string, context: Context): Promise<string | undefined> {
  if (nonEmpty(context.environment['MENDER_PAT']) !== undefined)
    return 'MENDER_PAT is set, and they take that token';
  const variable = variableName('mender-host');
  const given = nonEmpty(context.environment[variable]);
  const chosen = await chooseHost(given, await readUserSettings(context), context);
  if (chosen === undefined) return undefined;
  const origin = given === undefined ? chosen.origin : variable;
  if (!isSameHost(chosen.host, host)) return `${origin} names ${chosen.host}; give them -h ${host}`;
  const ownToken = chosen.tokenEnv ?? chosen.tokenFile;
  return ownToken === undefined ? undefined : `${origin} names a server whose token is in ${ownToken}`;
}

/** Throws UsageError if nobody names the user and nobody can be asked. */
async function userName(context: Context): Promise<string> {
  const known = (await readCliConfiguration(context))?.username;
  if (known !== undefined) return known;
  const answer = canAsk() ? await ask('User name (email)', '', context.signal) : '';
  if (answer !== '') return answer;
  throw new UsageError('no --username is given', {
    hint: 'add --username EMAIL; see mender-docker-delta help login',
  });
}
