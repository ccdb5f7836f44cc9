import { EXIT, UserError, messageOf, nextStep } from '../../errors.ts';
import { oneLine } from '../../io/printable.ts';

/** An error as plain data. */
export interface ErrorReport {
  message: string;
  /** What to try next, if anything is known. */
  hint: string | null;
  /** Of the process. */
  exitCode: number;
}

/** What `--json` prints if nothing else was printed before the error. */
export interface ErrorDocument {
  error: ErrorReport;
}

/** An error for machines. */
export function errorReport(error: unknown): ErrorReport {
  const isOfUser = error instanceof UserError;
  return {
    message: oneLine(messageOf(error)),
    hint: isOfUser ? (nextStep(error) ?? null) : null,
    exitCode: isOfUser ? error.exitCode : EXIT.bug,
  };
}
