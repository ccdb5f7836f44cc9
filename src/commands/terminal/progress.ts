import type { Progress, ProgressTask } from '../../io/progress.ts';
import { printableLine } from '../../io/printable.ts';
import { endedText, linesOf, overallText } from './progressText.ts';
import type { EndedStep, Task } from './progressText.ts';

/** A terminal or a log that progress is written to. */
export interface Screen {
  isTTY: boolean;
  columns: number;
  write(text: string): void;
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

/**
 * Progress as an overall bar with a line for each step on a terminal, and as one line every ten
 * seconds elsewhere. Shows nothing for what ends within a second.
 */
export class ScreenProgress implements Progress {
  readonly #screen: Screen;
  readonly #lines: LastLines;
  readonly #now: () => number;
  readonly #onEnd: (step: EndedStep) => void;
  readonly #tasks = new Set<Task>();
  #last: number;
  #ticking: NodeJS.Timeout | undefined;

  constructor(screen: Screen, { now = Date.now, onEnd = () => undefined }: ProgressOptions = {}) {
    this.#screen = screen;
    this.#lines = new LastLines(screen);
    this.#now = now;
    this.#onEnd = onEnd;
    this.#last = now();
  }

  start(label: string, total?: number): ProgressTask {
    const task: Task = { label: printableLine(label), total, done: 0, since: this.#now() };
    if (this.#tasks.size === 0) this.#watch();
    this.#tasks.add(task);
    return { advance: (bytes) => this.#advance(task, bytes), end: () => this.#end(task) };
  }

  /** Takes the lines off the terminal, until the next news. */
  clear(): void {
    this.#lines.clear();
  }

  #watch(): void {
    this.#last = this.#now();
    this.#ticking = setInterval(() => this.#look(), TICK_MS).unref();
  }

  #advance(task: Task, bytes: number): void {
    task.done += bytes;
    this.#look();
  }

  #end(task: Task): void {
    if (!this.#tasks.delete(task)) return;
    if (this.#tasks.size === 0) clearInterval(this.#ticking);
    const milliseconds = this.#now() - task.since;
    if (this.#screen.isTTY) this.#update();
    else if (milliseconds > (task.done > 0 ? QUIET_MS : LINE_EVERY_MS))
      this.#screen.write(`${endedText(task, this.#now())}\n`);
    this.#onEnd({ label: task.label, done: task.done, milliseconds });
  }

  #look(): void {
    const every = this.#screen.isTTY ? REDRAW_MS : LINE_EVERY_MS;
    if (this.#now() - this.#last > every) this.#update();
  }

  #update(): void {
    const now = this.#now();
    const slow = [...this.#tasks].filter(({ since }) => now - since > QUIET_MS);
    if (this.#screen.isTTY) this.#lines.draw(linesOf(slow, this.#screen.columns, now));
    else if (slow.length > 0) this.#screen.write(`${overallText(slow, now)}\n`);
    this.#last = now;
  }
}

/** Lines at the end of a terminal, which the next lines replace. */
class LastLines {
  readonly #screen: Screen;
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  clear(): void {
    if (this.#drawn > 0) this.#screen.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  draw(lines: readonly string[]): void {
    this.clear();
    if (lines.length > 0) this.#screen.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }
}
