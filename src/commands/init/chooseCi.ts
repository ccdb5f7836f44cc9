import { join } from 'node:path';
import { didYouMean, oneOf } from '../../io/suggest.ts';
import { fileSize } from '../../io/files.ts';
import { ask, canAsk } from '../terminal/ask.ts';
import type { Context } from '../terminal/command.ts';
import type { CiSystem } from './ciFiles.ts';
import { CI_SYSTEMS, ciFile } from './ciFiles.ts';

/**
 * Asks on a terminal which CI file to write. Undefined for none, where nobody can be asked, and if
 * one of the files is below `top` already.
 */
export async function chooseCi(top: string, { json, signal, log }: Context): Promise<CiSystem | undefined> {
  if (!canAsk() || json || (await hasCiFile(top))) return undefined;
  const answers = ['none', ...CI_SYSTEMS];
  for (;;) {
    const answer = await ask(`CI file (${oneOf(answers)})`, 'none', signal);
    if (answers.includes(answer)) return CI_SYSTEMS.find((system) => system === answer);
    log.warning(`${JSON.stringify(answer)}: ${didYouMean(answer, answers) ?? `expected ${oneOf(answers)}`}`);
  }
}

async function hasCiFile(top: string): Promise<boolean> {
  for (const system of CI_SYSTEMS) {
    if ((await fileSize(join(top, ciFile(system, '.').path))) !== undefined) return true;
  }
  return false;
}
