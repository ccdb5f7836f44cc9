/**
 * How far an artifact came, as a publisher's report says it. `KEPT`: another artifact of its name
 * was there, and is what was deployed.
 */
export type State =
  | 'PENDING'
  | 'UPLOADED'
  | 'DEPLOYED'
  | 'KEPT'
  | 'UPLOADFAILED'
  | 'NOTDEPLOYED'
  | 'DELETED'
  | 'MISSING'
  | 'SKIPPED';

export interface RunResult {
  success: boolean;
  /** True if there was nothing to do. */
  skipped: boolean;
}

/**
 * The result of a run by the states of its destinations; without any it is a failure unless
 * `allowEmpty`.
 */
export function runResult(states: readonly State[], allowEmpty: boolean): RunResult {
  if (states.length === 0) return { success: allowEmpty, skipped: allowEmpty };
  return {
    success: states.every((state) => state !== 'UPLOADFAILED' && state !== 'NOTDEPLOYED'),
    skipped: false,
  };
}

/** The result of several runs; `unprocessed` says that no map knows one of the artifacts. */
export function combinedResult(results: readonly RunResult[], unprocessed: boolean): RunResult {
  return {
    success: !unprocessed && results.every(({ success }) => success),
    skipped: results.some(({ skipped }) => skipped),
  };
}
