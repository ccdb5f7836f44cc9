/** What a check found. */
export interface CheckResult {
  /** What was checked. */
  check: string;
  /** `warning`: works, but not for everything. `problem`: builds or updates will fail. */
  state: 'ok' | 'warning' | 'problem';
  found: string;
  /** What to do about it. */
  todo?: string;
}

export function ok(check: string, found: string): CheckResult {
  return { check, state: 'ok', found };
}

export function warning(check: string, found: string, todo: string): CheckResult {
  return { check, state: 'warning', found, todo };
}

export function problem(check: string, found: string, todo: string): CheckResult {
  return { check, state: 'problem', found, todo };
}
