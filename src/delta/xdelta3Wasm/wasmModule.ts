import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { ToolError, messageOf } from '../../errors.ts';

/** Larger pieces do not fit into the heap of 16 MiB: it fails, or writes through a null pointer. */
export const LARGEST_PIECE: number = 1 << 20;

/** The most that headers and checksum add to incompressible bytes. */
const OVERHEAD = 64 << 10;
/** XD3_ADLER32 and XD3_COMPLEVEL_9. The package passes its last argument on as flags. */
const FLAGS = (1 << 10) | (9 << 20);

interface Module {
  init(): Promise<void>;
  xd3_encode_memory(
    input: Uint8Array,
    source: Uint8Array,
    largestOutput: number,
    flags: number,
  ): { ret: number; str: string; output: Uint8Array };
}

const require = createRequire(import.meta.url);
let loaded: Module | undefined;

/**
 * A delta of at most 1 MiB of target against at most 1 MiB of source, by xdelta3 compiled to
 * WebAssembly. A failure may damage its memory, so it is tried once more in a fresh instance.
 * Throws ToolError if that fails as well.
 */
export async function encodePiece(source: Uint8Array, target: Uint8Array): Promise<Uint8Array> {
  if (Math.max(source.length, target.length) > LARGEST_PIECE) throw failed('a piece is larger than 1 MiB');
  const first = await attempt(source, target);
  if (typeof first !== 'string') return first;
  const second = await attempt(source, target);
  if (typeof second !== 'string') return second;
  throw failed(second);
}

/** The delta, or the error as text. */
async function attempt(source: Uint8Array, target: Uint8Array): Promise<Uint8Array | string> {
  try {
    loaded ??= await freshInstance();
    const { ret, str, output } = loaded.xd3_encode_memory(target, source, target.length + OVERHEAD, FLAGS);
    if (ret === 0) return output;
    loaded = undefined;
    return str;
  } catch (error) {
    loaded = undefined;
    return messageOf(error);
  }
}

// The package keeps its only instance in module scope, so a fresh instance needs a fresh module.
async function freshInstance(): Promise<Module> {
  const entry = require.resolve('xdelta3-wasm');
  for (const path of Object.keys(require.cache)) {
    if (path.startsWith(dirname(entry) + sep)) Reflect.deleteProperty(require.cache, path);
  }
  const module = require(entry) as Module;
  await module.init();
  return module;
}

function failed(why: string): ToolError {
  return new ToolError(`making a delta with xdelta3-wasm: ${why}`, {
    hint: ({ option }) => `choose another encoder: ${option('encoder', 'builtin')}`,
  });
}
