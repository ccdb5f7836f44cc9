import type { Progress, ProgressTask } from '../../io/progress.ts';
import { printableLine } from '../../io/printable.ts';
import { formatBytes } from '../../io/formatBytes.ts';
import { formatSeconds } from './format.ts';

/** A terminal or a log that progress is written to. */
export interface Screen {
  isTTY: boolean;
  columns: number;
  write(text: string): void;
}

/** A step that has ended. */
export interface EndedStep {
  label: string;
  /** Bytes that were done. */
  done: number;
  milliseconds: number;
}

export interface ProgressOptions {
  now?: () => number;
  /** Is told each step that has ended. */
  onEnd?: (step: EndedStep) => void;
}

/** Milliseconds between two drawings on a terminal. */
const REDRAW_MS = 200;
/** Milliseconds between two looks at the clock, so that a step without news is shown as well. */
const TICK_MS = 500;
/** What takes no longer than this shows nothing, milliseconds. */
const QUIET_MS = 1_000;
const LINE_EVERY_MS = 10_000;
const MOST_SHOWN = 6;

interface Task {
  label: string;
  total: number | undefined;
  done: number;
  since: number;
}

/**
 * Progress as an overall bar with a line for each step on a terminal, and as one line every ten
 * seconds elsewhere. Shows nothing for what ends within a second.
 */
export function createProgress(screen: Screen, options: ProgressOptions = {}): Progress & { clear(): void } {
  const { now = Date.now, onEnd = () => undefined } = options;
  const tasks = new Set<Task>();
  const lines = createLines(screen);
  let last = now();
  let ticking: NodeJS.Timeout | undefined;
  const draw = (): void => {
    lines.draw(linesOf(slowOf(tasks, now()), screen.columns, now()));
    last = now();
  };
  const writeLine = (): void => {
    const slow = slowOf(tasks, now());
    if (slow.length > 0) screen.write(`${overallText(slow, now())}\n`);
    last = now();
  };
  const look = (): void => {
    const [update, every] = screen.isTTY ? [draw, REDRAW_MS] : [writeLine, LINE_EVERY_MS];
    if (now() - last > every) update();
  };
  const end = (task: Task): void => {
    if (!tasks.delete(task)) return;
    if (tasks.size === 0) clearInterval(ticking);
    const milliseconds = now() - task.since;
    if (screen.isTTY) draw();
    else if (milliseconds > QUIET_MS) screen.write(`${endText(task, now())}\n`);
    onEnd({ label: task.label, done: task.done, milliseconds });
  };
  const start = (given: string, total?: number): ProgressTask => {
    const label = printableLine(given);
    const task: Task = { label, total, done: 0, since: now() };
    if (tasks.size === 0) {
      last = now();
      ticking = setInterval(look, TICK_MS).unref();
    }
    tasks.add(task);
    return {
      advance(bytes) {
        task.done += bytes;
        look();
      },
      end: () => end(task),
    };
  };
  return { start, clear: () => lines.clear() };
}

/** Lines at the end of a terminal, which the next lines replace. */
function createLines(screen: Screen): { clear(): void; draw(lines: readonly string[]): void } {
  let drawn = 0;
  const clear = (): void => {
    if (drawn > 0) screen.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = (lines: readonly string[]): void => {
    clear();
    if (lines.length > 0) screen.write(`${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  return { clear, draw };
}

function slowOf(tasks: ReadonlySet<Task>, now: number): Task[] {
  return [...tasks].filter(({ since }) => now - since > QUIET_MS);
}

const BAR_WIDTH = 24;
/** Columns of a terminal that is too narrow for a bar and what it says. */
const NARROW = 60;

/** The overall bar; with several steps a line for each of them below it. */
function linesOf(tasks: readonly Task[], columns: number, now: number): string[] {
  if (tasks.length === 0) return [];
  const text = overallText(tasks, now);
  const { done, total } = sumOf(tasks);
  const filled = Math.round((total === undefined ? 0 : Math.min(done / total, 1)) * BAR_WIDTH);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
  const steps = tasks.length === 1 ? [] : tasks.slice(0, MOST_SHOWN).map((task) => `  ${amountText(task)}`);
  const lines = [columns < NARROW ? text : `${bar} ${text}`, ...steps];
  // A line that wraps could not be taken away again.
  return lines.map((line) => line.slice(0, Math.max(columns - 1, 1)));
}

/** All running steps as one. Without a total if that of any step is unknown. */
function sumOf(tasks: readonly Task[]): Task {
  const [first] = tasks;
  const label = tasks.length === 1 && first !== undefined ? first.label : `${tasks.length} steps`;
  const isKnown = tasks.every(({ total }) => total !== undefined);
  return {
    label,
    total: isKnown ? tasks.reduce((sum, { total = 0 }) => sum + total, 0) : undefined,
    done: tasks.reduce((sum, { done }) => sum + done, 0),
    since: Math.min(...tasks.map(({ since }) => since)),
  };
}

/** What is done, how fast, and how long it takes. */
function overallText(tasks: readonly Task[], now: number): string {
  const sum = sumOf(tasks);
  const seconds = (now - sum.since) / 1000;
  const rate = sum.done / seconds;
  const pace = sum.done > 0 ? `${formatBytes(rate)}/s` : formatSeconds(seconds);
  if (sum.total === undefined || rate <= 0 || sum.done >= sum.total) return `${amountText(sum)}, ${pace}`;
  return `${amountText(sum)}, ${pace}, ${formatSeconds((sum.total - sum.done) / rate)} left`;
}

function amountText({ label, done, total }: Task): string {
  if (!total) return done === 0 ? label : `${label}: ${formatBytes(done)}`;
  return `${label}: ${formatBytes(done)} of ${formatBytes(total)} (${Math.min(100, Math.floor((done * 100) / total))} %)`;
}

/** What was broken off is not done. */
function endText(task: Task, now: number): string {
  if (task.done < (task.total ?? 0)) return amountText(task);
  const amount = task.done === 0 ? '' : `${formatBytes(task.done)} `;
  return `${task.label}: done, ${amount}in ${formatSeconds((now - task.since) / 1000)}`;
}
