import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** When, where and with which sources a measurement was made. */
export interface MeasuredOn {
  /** The day, as in 2026-01-31. */
  date: string;
  /** The checked out commit; `+` if files were changed since. */
  commit: string;
  machine: { processor: string; cores: number; memoryGiB: number; node: string };
}

/** The date, commit and machine of a measurement that is made now. */
export function measuredOn(): MeasuredOn {
  const git = (...command: string[]): string => execFileSync('git', command, { encoding: 'utf8' }).trim();
  // One run writes several files of figures.
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs/measurements');
  const isChanged = changed !== '';
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `${git('rev-parse', '--short=12', 'HEAD')}${isChanged ? '+' : ''}`,
    machine: {
      processor: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
    },
  };
}
