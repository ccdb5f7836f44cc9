import type { ExaminedFile } from './examined.ts';
import type { FileState } from './model.ts';

/** A file counts as new if the artifact brings at least this share of it. */
const NEW_SHARE = 0.9;

type Judged = Pick<
  ExaminedFile,
  'size' | 'kept' | 'moved' | 'added' | 'repeated' | 'content' | 'base' | 'headerAdded'
> &
  Pick<ExaminedFile, 'modified' | 'attributes' | 'path'>;

/** Returns what happened to a file since the base. Pure. */
export function judgeFile({ size, kept, moved, added, repeated, content }: Judged): FileState {
  if (added + repeated === 0) return moved > kept ? 'moved' : 'kept';
  if (content === 'packed' || content === 'media') return 'packed';
  return added + repeated >= size * NEW_SHARE ? 'new' : 'edited';
}

/**
 * True if the content of a file is the same, and its header has another time and nothing else.
 * Pure.
 */
export function hasOnlyNewTime(file: Judged): boolean {
  const { base, path, headerAdded, kept, size, modified, attributes } = file;
  const isSame = base?.path === path && kept === size && base.size === size && headerAdded > 0;
  return isSame && base.modified !== modified && base.attributes === attributes;
}
