import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { execFileSync } from 'node:child_process';
import { Parser } from 'tar';
import type { ReadEntry } from 'tar';

/** What a server learns from an artifact file. */
export interface ParsedArtifact {
  name: string;
  device_types_compatible: string[];
  info: { format: string; version: number };
  signed: boolean;
  updates: { type_info: { type: string }; files: PayloadFile[]; metadata: Record<string, unknown> }[];
  artifact_provides: Record<string, string>;
  artifact_depends: Record<string, string[]>;
  clears_artifact_provides: string[];
}

interface PayloadFile {
  name: string;
  checksum: string;
  size: number;
  date: string;
}

interface HeaderInfo {
  payloads: { type: string }[];
  artifact_provides: Record<string, string>;
  artifact_depends: Record<string, string | string[]>;
}

interface TypeInfo {
  type: string;
  artifact_provides?: Record<string, string>;
  artifact_depends?: Record<string, string | string[]>;
  clears_artifact_provides?: string[];
}

/**
 * Reads a .mender file as the server does; throws for an incomplete artifact or a wrong checksum.
 */
export async function parseArtifact(path: string): Promise<ParsedArtifact> {
  const small = new Map<string, Buffer>();
  const payloads = new Map<string, PayloadFile>();
  await eachEntry(createReadStream(path), async (entry) => {
    if (entry.path.startsWith('data/')) await readPayload(entry, payloads);
    else small.set(entry.path, await bytesOf(entry));
  });
  const manifest = new Map(
    text(small, 'manifest')
      .trim()
      .split('\n')
      .map((line) => [line.slice(66), line.slice(0, 64)]),
  );
  for (const [name, file] of payloads) {
    if (manifest.get(name) !== file.checksum) throw new Error(`checksum of ${name} does not match`);
  }
  return assemble(small, await headerOf(small), payloads);
}

function assemble(
  small: Map<string, Buffer>,
  header: Map<string, Buffer>,
  payloads: Map<string, PayloadFile>,
): ParsedArtifact {
  const info = JSON.parse(text(header, 'header-info')) as HeaderInfo;
  const types = info.payloads.map((_, index) => {
    return JSON.parse(text(header, `headers/${number(index)}/type-info`)) as TypeInfo;
  });
  const provides = [info.artifact_provides, ...types.map((type) => type.artifact_provides ?? {})];
  const depends = [info.artifact_depends, ...types.map((type) => type.artifact_depends ?? {})];
  const filesOf = (index: number) =>
    [...payloads].filter(([name]) => name.startsWith(`data/${number(index)}/`)).map(([, file]) => file);
  return {
    name: info.artifact_provides['artifact_name']!,
    device_types_compatible: [info.artifact_depends['device_type']!].flat(),
    info: JSON.parse(text(small, 'version')) as { format: string; version: number },
    signed: small.has('manifest.sig'),
    updates: types.map((type, index) => ({
      ...{ type_info: { type: type.type }, files: filesOf(index) },
      metadata: metaDataOf(header, index),
    })),
    artifact_provides: Object.assign({}, ...provides) as Record<string, string>,
    artifact_depends: Object.fromEntries(
      depends.flatMap((map) => Object.entries(map)).map(([key, value]) => [key, [value].flat()]),
    ),
    clears_artifact_provides: types.flatMap((type) => type.clears_artifact_provides ?? []),
  };
}

/** The description knows texts only; what a server makes of other values is not known. */
function metaDataOf(header: Map<string, Buffer>, index: number): Record<string, unknown> {
  const path = `headers/${number(index)}/meta-data`;
  const values = header.has(path) ? (JSON.parse(text(header, path)) as Record<string, unknown>) : {};
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'string'));
}

function number(index: number): string {
  return String(index).padStart(4, '0');
}

function text(files: Map<string, Buffer>, name: string): string {
  const found = files.get(name);
  if (found === undefined) throw new Error(`${name} is missing`);
  return found.toString('utf8');
}

async function headerOf(small: Map<string, Buffer>): Promise<Map<string, Buffer>> {
  const found = [...small].find(([name]) => /^header\.tar(\.\w+)?$/.test(name));
  if (found === undefined) throw new Error('header.tar is missing');
  const header = new Map<string, Buffer>();
  await eachEntry([decompressed(...found)], async (entry) => {
    header.set(entry.path, await bytesOf(entry));
  });
  return header;
}

function decompressed(name: string, content: Buffer): Buffer {
  if (name.endsWith('.gz')) return gunzipSync(content);
  if (name.endsWith('.xz')) return execFileSync('xz', ['-dc'], { input: content, maxBuffer: 1 << 26 });
  if (name.endsWith('.zst')) return execFileSync('zstd', ['-dc'], { input: content, maxBuffer: 1 << 26 });
  return content;
}

async function readPayload(entry: ReadEntry, payloads: Map<string, PayloadFile>): Promise<void> {
  const folder = entry.path.replace(/\.tar(\.\w+)?$/, '');
  const streams = /\.tar(\.gz)?$/.test(entry.path);
  const chunks = streams
    ? (entry as AsyncIterable<Buffer>)
    : [decompressed(entry.path, await bytesOf(entry))];
  await eachEntry(chunks, async (file) => {
    const sum = createHash('sha256');
    for await (const chunk of file as AsyncIterable<Buffer>) sum.update(chunk);
    payloads.set(`${folder}/${file.path}`, {
      name: file.path,
      checksum: sum.digest('hex'),
      size: file.size,
      date: (file.mtime ?? new Date(0)).toISOString(),
    });
  });
}

async function bytesOf(entry: ReadEntry): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Feeds a tar stream to `visit`, one entry at a time, with backpressure. */
async function eachEntry(
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  visit: (entry: ReadEntry) => Promise<void>,
): Promise<void> {
  let pending: Promise<void> = Promise.resolve();
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      pending = pending.then(() => visit(entry));
      pending.catch(() => entry.resume());
    },
  });
  const ended = new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
  });
  ended.catch(() => undefined);
  for await (const chunk of chunks) {
    if (!parser.write(chunk)) await new Promise<void>((resolve) => parser.once('drain', resolve));
  }
  parser.end();
  await ended;
  await pending;
}
