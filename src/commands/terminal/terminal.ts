import type { Progress, ProgressTask } from '../../io/progress.ts';
import { formatBytes } from './format.ts';

/** A terminal or a log that progress is written to. */
export interface Screen {
  isTTY: boolean;
  columns: number;
  write(text: string): void;
}

const REDRAW_MS = 100;
/** What takes no longer than this shows nothing, milliseconds. */
const QUIET_MS = 1_000;
const LINE_EVERY_MS = 10_000;

interface Shown {
  label: string;
  total: number | undefined;
  done: number;
  since: number;
  lastLine: number;
}

/**
 * Progress as one bar per piece of work on a terminal, as lines elsewhere; nothing for what ends
 * within a second.
 */
export function createProgress(screen: Screen, now: () => number = Date.now): Progress & { clear(): void } {
  const tasks = new Set<Shown>();
  let drawn = 0;
  let lastDraw = 0;
  const clear = (): void => {
    if (drawn > 0) screen.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    clear();
    const visible = [...tasks].filter(({ since }) => now() - since > QUIET_MS).slice(0, 8);
    for (const task of visible) screen.write(`${barOf(task, screen.columns)}\n`);
    drawn = visible.length;
    lastDraw = now();
  };
  const report = (task: Shown): void => {
    if (screen.isTTY) {
      if (now() - lastDraw > REDRAW_MS) draw();
    } else if (now() - task.lastLine > LINE_EVERY_MS) {
      task.lastLine = now();
      screen.write(`${lineOf(task)}\n`);
    }
  };
  const start = (label: string, total?: number): ProgressTask => {
    const task: Shown = { label, total, done: 0, since: now(), lastLine: now() };
    tasks.add(task);
    return {
      advance(bytes) {
        task.done += bytes;
        report(task);
      },
      end() {
        tasks.delete(task);
        if (screen.isTTY) draw();
        else if (now() - task.since > QUIET_MS) screen.write(`${endOf(task)}\n`);
      },
    };
  };
  return { start, clear };
}

const BAR_WIDTH = 24;
/** Columns of a terminal that is too narrow for a bar and what it says. */
const NARROW = 60;

function barOf(task: Shown, columns: number): string {
  const share = task.total ? Math.min(task.done / task.total, 1) : 0;
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
  const line = lineOf(task);
  // A line that wraps could not be taken away again.
  return (columns < NARROW ? line : `${bar} ${line}`).slice(0, Math.max(columns - 1, 1));
}

/** What was broken off is not done. */
function endOf(task: Shown): string {
  return task.done < (task.total ?? 0) ? lineOf(task) : `${task.label}: done, ${formatBytes(task.done)}`;
}

function lineOf({ label, done, total }: Shown): string {
  if (!total) return `${label}: ${formatBytes(done)}`;
  return `${label}: ${formatBytes(done)} of ${formatBytes(total)} (${Math.min(100, Math.floor((done * 100) / total))} %)`;
}
