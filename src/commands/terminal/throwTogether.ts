import { UsageError, UserError, reworded } from '../../errors.ts';
import type { Hint } from '../../errors.ts';

/** Throws the problems as one error. It has the class of the problems if they share one. */
export function throwTogether(problems: readonly UserError[]): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const isOneKind = more.every(({ exitCode }) => exitCode === first.exitCode);
  const message = `${problems.length} problems: ${problems.map((problem) => problem.message).join('; ')}`;
  const hint = hintOf(problems);
  throw isOneKind
    ? reworded(first, message, hint)
    : new UsageError(message, hint === undefined ? {} : { hint });
}

function hintOf(problems: readonly UserError[]): Hint | undefined {
  if (problems.every(({ hint }) => hint === undefined)) return undefined;
  return (wording) => [...new Set(problems.flatMap((problem) => problem.hintIn(wording) ?? []))].join('; ');
}
