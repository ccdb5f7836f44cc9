import type { Completion, Shell } from '../line/completion.ts';
import { SHELLS, complete, completionScript } from '../line/completion.ts';
import { GLOBAL_OPTIONS } from '../line/globalOptions.ts';
import { SERVER_OPTIONS, serverIfAny } from '../options/server.ts';
import type { ServerFlags } from '../options/server.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Command, Context } from '../terminal/command.ts';
import { createHttp } from '../../http/http.ts';
import { silentLog } from '../../io/log.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import { listGroups } from '../../server/inventory.ts';

/** Milliseconds that a server has to tell names before the shell goes on without them. */
const PATIENCE_MS = 1_500;

/** `completion bash|zsh|fish`. The scripts call `completion candidates -- WORD..`. */
export function completionCommandFor(commands: () => readonly Command[]): Command {
  return defineCommand({
    usage: 'completion <shell>',
    passesOn: true,
    describe: 'Print a script that lets a shell complete commands, options and names on the server',
    examples: [
      ['source <($0 completion bash)', 'in ~/.bashrc'],
      ['$0 completion zsh > "${fpath[1]}/_mender-docker-delta"', 'once, for zsh'],
      ['$0 completion fish > ~/.config/fish/completions/mender-docker-delta.fish', 'once, for fish'],
    ],
    positionals: {
      shell: { choices: SHELLS, hiddenChoice: 'candidates', demandOption: true, describe: 'The shell' },
    },
    options: SERVER_OPTIONS,
    async run(flags, context) {
      if (isShell(flags.shell)) {
        const script = completionScript(flags.shell);
        context.report({ script }, script.trimEnd());
        return;
      }
      const typed = (flags as { '--'?: string[] })['--'] ?? [''];
      const found = complete(typed, commands(), GLOBAL_OPTIONS);
      const names = await askedNames(found, flags, context);
      const fitting = names.filter((name) => name.startsWith(typed.at(-1) ?? ''));
      const words = [...new Set([...found.words, ...fitting])];
      if (words.length > 0) context.print(words.join('\n'));
    },
  });
}

/** False for `candidates`. */
function isShell(word: string): word is Shell {
  return SHELLS.some((shell) => shell === word);
}

/** Names from the server. None if it is not reachable in time, or if there is no token. */
async function askedNames({ ask }: Completion, flags: ServerFlags, context: Context): Promise<string[]> {
  if (ask === undefined) return [];
  const limit = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    // News about the server would spoil the line that is typed.
    const http = createHttp({ log: silentLog, environment: context.environment });
    const api = await serverIfAny(flags, { ...context, http, signal: limit });
    if (api === undefined) return [];
    return ask === 'groups' ? await listGroups(api) : (await listArtifacts(api)).map(({ name }) => name);
  } catch {
    return [];
  }
}
