import type { Command, OptionTable } from '../terminal/command.ts';
import { verbOf } from '../terminal/command.ts';
import { PROGRAM, optionWords, shownOptions } from './usage.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** The script that a shell sources to complete the tool's command lines. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

// Each script hands the words before the cursor, and the one that is being typed, to the tool.
const SCRIPTS: Record<Shell, string> = {
  bash: `_mender_docker_delta() {
  local IFS=$'\\n'
  COMPREPLY=($(${PROGRAM} completion candidates -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null))
}
complete -o default -o nosort -F _mender_docker_delta ${PROGRAM}
`,
  zsh: `#compdef ${PROGRAM}
_mender_docker_delta() {
  local -a found
  found=("\${(@f)$(${PROGRAM} completion candidates -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
# As a file in fpath, this is the body of the function that the first Tab calls.
if [[ "\${funcstack[1]}" == _${PROGRAM} ]]; then _mender_docker_delta; else compdef _mender_docker_delta ${PROGRAM}; fi
`,
  fish: `function __mender_docker_delta
  set -l words (commandline -opc) (commandline -ct)
  ${PROGRAM} completion candidates -- $words[2..-1] 2> /dev/null
end
complete -c ${PROGRAM} -a '(__mender_docker_delta)'
`,
};

/** What may come next on a command line. */
export interface Completion {
  /** Words that fit what is typed already. */
  words: string[];
  /** What a server knows and fits as well. */
  ask?: 'artifacts' | 'groups';
}

/**
 * What completes the last of `words`, which may be empty. A file is completed by the shell if there
 * is nothing.
 */
export function complete(
  words: readonly string[],
  commands: readonly Command[],
  common: OptionTable,
): Completion {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const command = commands.find((one) => before.includes(verbOf(one)));
  const fitting = (all: readonly string[]): string[] => all.filter((word) => word.startsWith(typed));
  if (command === undefined) return { words: fitting([...commands.map(verbOf), 'help', 'version']) };
  const table = { ...command.options, ...common };
  const last = before.at(-1) ?? '';
  const [name, option] =
    Object.entries(table).find(([key, { alias }]) => last === `--${key}` || last === `-${alias ?? ''}`) ?? [];
  if (option !== undefined && option.type !== 'boolean') {
    return { words: fitting(option.choices ?? []), ...(name === 'device-group' ? { ask: 'groups' } : {}) };
  }
  if (typed.startsWith('-')) return { words: fitting(optionWords(shownOptions(table))) };
  const action = Object.values(command.positionals).find(({ choices }) => choices !== undefined)?.choices;
  if (action !== undefined && !before.some((word) => action.includes(word)))
    return { words: fitting(action) };
  return { words: [], ...(ARTIFACT_COMMANDS.includes(verbOf(command)) ? { ask: 'artifacts' } : {}) };
}

/** Commands whose words are names of artifacts on the server. */
const ARTIFACT_COMMANDS = ['deploy', 'artifacts', 'releases'];
