import { formatBytes } from '../../io/amounts.ts';
import { formatSeconds } from './format.ts';

/** A step that has ended. */
export interface EndedStep {
  label: string;
  /** Bytes that were done. */
  done: number;
  milliseconds: number;
}

/** A step that runs. Amounts in bytes, times in milliseconds. */
export interface Task {
  label: string;
  total: number | undefined;
  done: number;
  since: number;
}

/** Steps that get a line of their own. */
const MOST_SHOWN = 6;
const BAR_WIDTH = 24;
/** Columns of a terminal that is too narrow for a bar and what it says. */
const NARROW = 60;

/** The overall bar; with several steps a line for each of them below it. */
export function linesOf(tasks: readonly Task[], columns: number, now: number): string[] {
  if (tasks.length === 0) return [];
  const text = overallText(tasks, now);
  const { done, total } = sumOf(tasks);
  const filled = Math.round((total === undefined ? 0 : Math.min(done / total, 1)) * BAR_WIDTH);
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`;
  const steps = tasks.length === 1 ? [] : tasks.slice(0, MOST_SHOWN).map((task) => `  ${amountText(task)}`);
  const lines = [columns < NARROW ? text : `${bar} ${text}`, ...steps];
  // A line that wraps could not be taken away again.
  return lines.map((line) => cutAtComma(line, Math.max(columns - 1, 1)));
}

/** The parts of a line that fit: a number without its unit says something else. */
function cutAtComma(line: string, width: number): string {
  if (line.length <= width) return line;
  const end = line.lastIndexOf(', ', width);
  return end > 0 ? line.slice(0, end) : line.slice(0, width);
}

/**
 * All running steps as one. Without a total if that of any step is unknown. A step that counts no
 * bytes, as one around others, counts only if there is no other.
 */
function sumOf(all: readonly Task[]): Task {
  const counting = all.filter(({ done, total }) => done > 0 || total !== undefined);
  const tasks = counting.length > 0 ? counting : all;
  const [first] = tasks;
  const label = tasks.length === 1 && first !== undefined ? first.label : `${tasks.length} steps`;
  const isKnown = tasks.every(({ total }) => total !== undefined);
  return {
    label,
    total: isKnown ? tasks.reduce((sum, { total = 0 }) => sum + total, 0) : undefined,
    done: tasks.reduce((sum, { done }) => sum + done, 0),
    since: tasks.reduce((first, { since }) => Math.min(first, since), Infinity),
  };
}

/** What is done, how fast, and how long it takes. */
export function overallText(tasks: readonly Task[], now: number): string {
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
export function endedText(task: Task, now: number): string {
  if (task.done < (task.total ?? 0)) return amountText(task);
  const amount = task.done === 0 ? '' : `${formatBytes(task.done)} `;
  return `${task.label}: done, ${amount}in ${formatSeconds((now - task.since) / 1000)}`;
}

/** How long a step took, for `-v`. */
export function stepText({ label, done, milliseconds }: EndedStep): string {
  const amount = done === 0 ? '' : `${formatBytes(done)} in `;
  return `${label}: ${amount}${formatSeconds(milliseconds / 1000)}`;
}
