import type { Command } from '../terminal/command.ts';
import { oneOf } from '../../io/suggest.ts';
import { wrongLine } from './usage.ts';

/**
 * Throws UsageError for a typed option that the action does not read: without an effect it would
 * mislead. Options from the environment or a configuration are for all commands.
 */
export function refuseOtherAction(command: Command, typed: Iterable<string>, action: unknown): void {
  for (const name of typed) {
    const { actions } = command.options[name] ?? {};
    if (actions === undefined || actions.some((one) => one === action)) continue;
    throw wrongLine(
      command,
      `${command.usage.split(' ')[0]} ${String(action)}: --${name} is for ${oneOf(actions)}`,
      'leave it out',
    );
  }
}
