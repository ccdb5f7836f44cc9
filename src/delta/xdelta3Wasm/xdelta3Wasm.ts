import { type FileHandle, open } from 'node:fs/promises';
import { FILE_HEADER } from '../../vcdiff/format.ts';
import { type BlockPositions, rememberBlocks, shiftOf } from './alignment.ts';
import type { DeltaOptions, LayerFile } from '../layer.ts';
import { windowsAt } from './splice.ts';
import { PositionedFile } from '../tar/positioned.ts';
import { LARGEST_PIECE, encodePiece } from './wasmModule.ts';

/** Half of the source piece, so that content that moved a little is still found. */
const TARGET_PIECE = LARGEST_PIECE / 2;

/**
 * Writes a delta with xdelta3-wasm, piece by piece: each half MiB of the target against the MiB of
 * the source that shares most with it. Throws ToolError if xdelta3-wasm fails.
 */
export async function encodeWithWasm(
  from: LayerFile,
  to: LayerFile,
  destination: string,
  options: Pick<DeltaOptions, 'signal' | 'progress'>,
): Promise<void> {
  const source = new PositionedFile(from.path);
  const target = new PositionedFile(to.path);
  const output = await open(destination, 'w');
  try {
    await writeAll(output, [FILE_HEADER]);
    await encodePieces(source, target, async (windows, size) => {
      await writeAll(output, windows);
      options.progress?.advance(size);
      options.signal?.throwIfAborted();
    });
  } finally {
    await output.close();
    target.close();
    source.close();
  }
}

async function encodePieces(
  source: PositionedFile,
  target: PositionedFile,
  write: (windows: Uint8Array[], size: number) => Promise<void>,
): Promise<void> {
  const blocks = blocksOf(source);
  let shift = 0;
  let offset = 0;
  do {
    const piece = Buffer.from(target.view(offset, TARGET_PIECE));
    shift = shiftOf(blocks, piece, offset) ?? shift;
    const start = sourceStart(offset + shift, source.size);
    const delta = await encodePiece(source.view(start, LARGEST_PIECE), piece);
    await write(windowsAt(delta, start), piece.length);
    offset += TARGET_PIECE;
  } while (offset < target.size);
}

function blocksOf(source: PositionedFile): BlockPositions {
  const blocks: BlockPositions = new Map();
  for (let offset = 0; offset < source.size; offset += LARGEST_PIECE) {
    rememberBlocks(blocks, source.view(offset, LARGEST_PIECE), offset);
  }
  return blocks;
}

/** The position of the MiB of source whose middle is the counterpart of the piece. */
function sourceStart(counterpart: number, size: number): number {
  const start = counterpart - (LARGEST_PIECE - TARGET_PIECE) / 2;
  return Math.max(0, Math.min(start, size - LARGEST_PIECE));
}

async function writeAll(output: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  await output.writeFile(Buffer.concat(parts));
}
