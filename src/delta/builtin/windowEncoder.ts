import { CopyList } from '../../vcdiff/copyList.ts';
import { WINDOW_SIZE } from '../../vcdiff/format.ts';
import { WindowWriter } from '../../vcdiff/writer.ts';
import { entryAt } from '../tar/entryTable.ts';
import type { PositionedFile } from '../tar/positioned.ts';
import { BodyMatcher } from './bodyMatcher.ts';
import { copyDiagonal } from './diagonal.ts';
import type { Plan } from './plan.ts';

/** The most bytes that are compared at once. */
const PIECE = 1 << 20;
/** The most old bytes that one piece of a body is matched against. */
const REACH = 16 << 20;
/** The shortest copy inside a header. */
const SHORTEST_IN_HEADER = 8;

/** Encodes any window of the new layer, given the plan; windows do not depend on one another. */
export class WindowEncoder {
  private readonly plan: Plan;
  private readonly oldFile: PositionedFile;
  private readonly newFile: PositionedFile;
  private readonly target = Buffer.alloc(WINDOW_SIZE);
  private readonly copies = new CopyList();
  private readonly writer = new WindowWriter();
  private readonly matcher = new BodyMatcher();
  /** Position of the window in the new layer. */
  private start = 0;
  private length = 0;

  constructor(plan: Plan, oldFile: PositionedFile, newFile: PositionedFile) {
    this.plan = plan;
    this.oldFile = oldFile;
    this.newFile = newFile;
  }

  /** The window that makes the bytes from `start` on, at most WINDOW_SIZE of them. */
  encode(start: number): Uint8Array {
    this.start = start;
    this.length = this.newFile.readInto(this.target, 0, start, WINDOW_SIZE);
    this.copies.clear();
    const end = start + this.length;
    const { new: table } = this.plan;
    for (let entry = entryAt(table, start); entry < table.count && table.start[entry]! < end; entry++)
      this.entry(entry);
    return this.writer.encode(this.target.subarray(0, this.length), this.copies);
  }

  private entry(entry: number): void {
    const { old, new: table, header, body } = this.plan;
    const pair = header[entry]!;
    if (pair >= 0 && pair === body[entry] && this.whole(entry, pair)) return;
    const bodyAt = table.body[entry]!;
    if (pair >= 0)
      this.header(table.start[entry]!, bodyAt, old.start[pair]!, old.body[pair]! - old.start[pair]!);
    if (body[entry]! >= 0)
      this.body(bodyAt, table.size[entry]!, old.body[body[entry]!]!, old.size[body[entry]!]!);
  }

  /** Copies an entry that is the same from its header to its padding. */
  private whole(entry: number, pair: number): boolean {
    const { old, new: table } = this.plan;
    const from = old.start[pair]!;
    const at = table.start[entry]! - this.start;
    const length = table.start[entry + 1]! - table.start[entry]!;
    if (length !== old.start[pair + 1]! - from || length > PIECE || at < 0 || at + length > this.length)
      return false;
    const source = this.oldFile.view(from, length);
    if (source.compare(this.target, at, at + length) !== 0) return false;
    this.copies.add(at, from, length);
    return true;
  }

  private header(start: number, end: number, from: number, length: number): void {
    if (end - start !== length || start < this.start || end > this.start + this.length) return;
    const source = this.oldFile.view(from, length);
    copyDiagonal(this.copies, this.target, start - this.start, source, from, length, SHORTEST_IN_HEADER);
  }

  private body(bodyAt: number, size: number, from: number, oldSize: number): void {
    const start = Math.max(bodyAt, this.start);
    const end = Math.min(bodyAt + size, this.start + this.length);
    if (end <= start || oldSize === 0) return;
    if (this.same(start, end, from + start - bodyAt, from + oldSize)) return;
    const middle = oldSize * ((start - bodyAt) / size);
    const sourceStart =
      oldSize <= REACH ? 0 : Math.max(0, Math.min(oldSize - REACH, Math.floor(middle - REACH / 4)));
    const source = this.oldFile.view(from + sourceStart, Math.min(REACH, oldSize - sourceStart));
    this.matcher.match(
      this.copies,
      this.target,
      start - this.start,
      end - this.start,
      source,
      from + sourceStart,
    );
  }

  /** Copies [start, end) if the bytes from `from` on, which end at `limit`, are the same. */
  private same(start: number, end: number, from: number, limit: number): boolean {
    if (from + end - start > limit) return false;
    for (let at = start; at < end; at += PIECE) {
      const length = Math.min(PIECE, end - at);
      const source = this.oldFile.view(from + at - start, length);
      if (source.compare(this.target, at - this.start, at - this.start + length) !== 0) return false;
    }
    this.copies.add(start - this.start, from, end - start);
    return true;
  }
}
