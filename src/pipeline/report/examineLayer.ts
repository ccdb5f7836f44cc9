import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { streamEntries } from '../../delta/tar/streamEntries.ts';
import type { StreamEntry } from '../../delta/tar/streamEntries.ts';
import type { Chunks } from '../../io/streams.ts';
import type { ByteReader } from '../../tar/byteReader.ts';
import { StreamReader } from '../../tar/byteReader.ts';
import type { BaseLayerFile, BaseIndex } from './baseIndex.ts';
import { HEAD_SIZE, contentKindOf } from './contentKind.ts';
import type { ExaminedFile, LayerContents } from './examined.ts';
import { noOrigins } from './examined.ts';
import type { ByteOrigin, SpanQueue } from './spanQueue.ts';
import { Weigher } from './weigher.ts';

/** Where the bytes of a delta's layer come from. */
export interface DeltaOrigins {
  spans: SpanQueue;
  base: BaseIndex;
}

/** Files of fewer bytes are not compared with others. */
const SMALLEST_COMPARED = 4096;
const NOTHING = Buffer.alloc(0);
const DEBUG_SECTION = Buffer.from('.debug_info');

/**
 * Reads a layer once, and returns its files with where their bytes come from. Without `delta` the
 * artifact brings all of them. Holds no more of the layer than a chunk. Throws what reading throws.
 */
export async function examineLayer(layer: Chunks, delta?: DeltaOrigins): Promise<LayerContents> {
  const examiner = new LayerExaminer(delta);
  const reader = tapped(new StreamReader(layer), (bytes) => examiner.pass(bytes));
  for await (const entry of streamEntries(reader)) {
    examiner.begin(entry);
    await reader.skip(entry.size);
    examiner.end();
  }
  await reader.skip(Number.MAX_SAFE_INTEGER);
  return examiner.finish();
}

/** The same reader. `pass` is told all bytes that are read or skipped. */
function tapped(reader: StreamReader, pass: (bytes: Buffer) => void): ByteReader {
  async function* passing(length: number): AsyncGenerator<Buffer> {
    for await (const bytes of reader.upTo(length)) {
      pass(bytes);
      yield bytes;
    }
  }
  return {
    get position() {
      return reader.position;
    },
    async read(length) {
      const parts: Buffer[] = [];
      for await (const bytes of passing(length)) parts.push(bytes);
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
    },
    async skip(length) {
      const chunks = passing(length);
      while ((await chunks.next()).done !== true);
    },
  };
}

/** The body that is being read. */
interface OpenBody {
  hash: Hash | undefined;
  head: Buffer;
  /** Bytes by the file of the base layer that they were copied from. */
  sources: Map<BaseLayerFile, number>;
}

/** Collects what `examineLayer` returns. */
class LayerExaminer {
  readonly #delta: DeltaOrigins | undefined;
  readonly #weigher = new Weigher();
  readonly #files: ExaminedFile[] = [];
  /** The last file, and while its header is read the next one. */
  #file = newFile();
  #body: OpenBody | undefined;
  /** The bytes of headers and padding that the artifact does not bring. */
  readonly #headers = { kept: 0, repeated: 0 };

  constructor(delta: DeltaOrigins | undefined) {
    this.#delta = delta;
  }

  /** Takes the next bytes of the layer: a part of a header, or of a body. */
  pass(bytes: Buffer): void {
    if (this.#body !== undefined) look(this.#body, this.#file, bytes);
    if (this.#delta === undefined) this.#take(bytes, 'added');
    else {
      this.#delta.spans.take(bytes.length, (at, size, origin, isBegun) => {
        if (!isBegun) this.#file.instructions += 1;
        this.#take(bytes.subarray(at, at + size), origin);
      });
    }
  }

  begin({ path, kind, size, modified, attributes }: StreamEntry): void {
    const file = this.#file;
    file.path = path;
    file.kind = kind;
    file.size = size;
    file.modified = modified;
    file.attributes = attributes;
    const hash = size < SMALLEST_COMPARED ? undefined : createHash('sha256');
    this.#body = { hash, head: NOTHING, sources: new Map() };
  }

  end(): void {
    if (this.#body === undefined) return;
    const { hash, head, sources } = this.#body;
    const [main] = [...sources].sort(([, one], [, other]) => other - one);
    this.#file.content = contentKindOf(head);
    this.#file.digest = hash?.digest('hex').slice(0, 32);
    this.#file.base = this.#delta?.base.named(this.#file.path) ?? main?.[0];
    this.#files.push(this.#file);
    this.#file = newFile();
    this.#body = undefined;
  }

  /** The files, and the sums of all of them and of the rest of the layer. */
  finish(): LayerContents {
    this.#weigher.finish();
    const all = { ...noOrigins(), ...this.#headers, weight: 0, instructions: 0 };
    for (const file of [...this.#files, this.#file]) {
      all.weight += file.weight;
      all.instructions += file.instructions;
      all.added += file.headerAdded;
      for (const key of ['kept', 'moved', 'added', 'repeated'] as const) all[key] += file[key];
    }
    return { ...all, files: this.#files };
  }

  #take(bytes: Buffer, origin: ByteOrigin): void {
    const file = this.#file;
    if (origin === 'added') this.#weigher.add(file, bytes);
    if (this.#body === undefined) this.#takeHeader(origin, bytes.length);
    else if (typeof origin === 'string') file[origin] += bytes.length;
    else this.#copy(this.#body, origin, bytes.length);
  }

  #takeHeader(origin: ByteOrigin, size: number): void {
    if (origin === 'added') this.#file.headerAdded += size;
    else this.#headers[origin === 'repeated' ? origin : 'kept'] += size;
  }

  #copy({ sources }: OpenBody, position: number, size: number): void {
    const file = this.#file;
    file.moved += size;
    this.#delta?.base.forEachIn(position, size, (source, bytes) => {
      sources.set(source, (sources.get(source) ?? 0) + bytes);
      if (source.path !== file.path) return;
      file.kept += bytes;
      file.moved -= bytes;
    });
  }
}

function newFile(): ExaminedFile {
  return {
    path: '',
    kind: 'other',
    size: 0,
    kept: 0,
    moved: 0,
    added: 0,
    repeated: 0,
    headerAdded: 0,
    instructions: 0,
    weight: 0,
    modified: 0,
    attributes: '',
    content: 'other',
    hasDebug: false,
    digest: undefined,
    base: undefined,
  };
}

function look(body: OpenBody, file: ExaminedFile, bytes: Buffer): void {
  body.hash?.update(bytes);
  if (body.head.length < HEAD_SIZE) body.head = Buffer.concat([body.head, bytes.subarray(0, HEAD_SIZE)]);
  if (body.head[0] === 0x7f && !file.hasDebug) file.hasDebug = bytes.includes(DEBUG_SECTION);
}
