import { FLAGS, UsageError, UserError } from '../../errors.ts';
import type { Wording } from '../../errors.ts';

/** Throws the problems as one error. It has the class of the problems if they share one. */
export function throwTogether(problems: readonly UserError[]): void {
  const [first, ...more] = problems;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const isOneKind = more.every(({ exitCode }) => exitCode === first.exitCode);
  const Kind = (isOneKind ? first.constructor : UsageError) as typeof UsageError;
  const hints = (wording: Wording): string[] => [
    ...new Set(problems.flatMap((problem) => problem.hintIn(wording) ?? [])),
  ];
  throw new Kind(`${problems.length} problems: ${problems.map(({ message }) => message).join('; ')}`, {
    ...(hints(FLAGS).length === 0 ? {} : { hint: (wording: Wording) => hints(wording).join('; ') }),
  });
}
