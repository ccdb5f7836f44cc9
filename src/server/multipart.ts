import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { IntegrityError } from '../errors.ts';
import { countedAttempts } from '../io/streams.ts';

/** A file as it was when it was looked at: bytes, and milliseconds since 1970. */
export interface SentFile {
  path: string;
  size: number;
  modified: number;
}

export interface UploadForm {
  headers: Record<string, string>;
  /** Bytes of the body, exactly. */
  contentLength: number;
  /** A fresh stream of the body for each attempt. */
  body: () => Readable;
}

/**
 * The form in which the server takes an artifact: description and size before the file, which is
 * the last part, since the server stops reading there. https://www.rfc-editor.org/rfc/rfc7578
 */
export function uploadForm(
  file: SentFile,
  description: string,
  onBytes: (bytes: number) => void,
): UploadForm {
  return streamForm(
    file.path,
    file.size,
    description,
    countedAttempts(() => fileBytes(file), onBytes),
  );
}

/** Like `uploadForm`, for bytes from anywhere. `open` returns a fresh stream of all of them. */
export function streamForm(
  name: string,
  size: number,
  description: string,
  open: () => AsyncIterable<Buffer>,
): UploadForm {
  const boundary = `mender-docker-delta-${randomBytes(16).toString('hex')}`;
  const head = Buffer.from(
    field(boundary, 'description', description) +
      field(boundary, 'size', String(size)) +
      `--${boundary}\r\nContent-Disposition: form-data; name="artifact"; filename="${fileName(name)}"\r\n` +
      'Content-Type: application/vnd.mender-artifact\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    contentLength: head.length + size + tail.length,
    body: () => Readable.from(parts(head, open, tail), { objectMode: false }),
  };
}

function field(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** The server ignores the name; quotes and line ends would break the form. */
function fileName(path: string): string {
  return basename(path).replace(/[^A-Za-z0-9._+-]/g, '_');
}

async function* parts(head: Buffer, open: () => AsyncIterable<Buffer>, tail: Buffer) {
  yield head;
  yield* open();
  yield tail;
}

/** The bytes of a file; throws IntegrityError if it changed since it was read. */
export async function* fileBytes(file: SentFile): AsyncGenerator<Buffer> {
  await refuseChanged(file);
  const stream =
    file.size === 0 ? [] : createReadStream(file.path, { end: file.size - 1, highWaterMark: 1 << 18 });
  yield* stream as AsyncIterable<Buffer>;
  await refuseChanged(file);
}

async function refuseChanged({ path, size, modified }: SentFile): Promise<void> {
  const now = await stat(path).catch(() => undefined);
  if (now?.size === size && now.mtimeMs === modified) return;
  throw new IntegrityError(`uploading ${path}: it changed meanwhile`, { hint: 'upload it again' });
}
