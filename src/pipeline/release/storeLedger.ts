import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeDocument } from '../../cache/documents.ts';
import type { Cache } from '../../cache/cache.ts';
import { withLock } from '../../cache/lock.ts';
import { DeniedError, NotFoundError, UnsupportedError, UsageError } from '../../errors.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { addFromLocation } from './storeLocation.ts';
import type { UploadContext, UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';

/** An upload that was begun, of a file or from an address. */
export type Begun = BegunFile | BegunLocation;

interface Receiver {
  host: string;
  tenant: string;
  description?: string;
}

interface BegunFile extends Receiver {
  /** Absolute. */
  path: string;
  direct?: boolean;
  /** Of the file, so that another one under its name is not taken for it: bytes, and milliseconds since 1970. */
  size: number;
  modified: number;
}

interface BegunLocation extends Receiver {
  location: string;
}

export interface LedgerContext extends UploadContext {
  cache: Pick<Cache, 'root'>;
}

/**
 * Runs `work`, an upload of the file, and keeps a note of it until the server has said yes or no: what an interruption,
 * a kill or a broken network leaves undone is finished by `finishUploads`.
 */
export async function recorded<T>(
  request: UploadRequest,
  context: LedgerContext,
  work: () => Promise<T>,
): Promise<T> {
  const path = resolve(request.path);
  // A file that can't be read is for the upload itself to complain about.
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return work();
  const { description, direct } = request;
  const begun: BegunFile = {
    ...receiver(context, description),
    path,
    size: found.size,
    modified: found.mtimeMs,
  };
  return noted(noteFor(context, path), direct === undefined ? begun : { ...begun, direct }, work, context);
}

/** As `uploadArtifact`, with a note. */
export function uploadRecorded(request: UploadRequest, context: LedgerContext): Promise<UploadReport> {
  return recorded(request, context, () => uploadArtifact(request, context));
}

/** As `addFromLocation`, with a note, unless the address has a query or a password: those may be secrets. */
export async function addRecorded(
  location: string,
  description: string | undefined,
  context: LedgerContext,
): Promise<UploadReport> {
  const work = (): Promise<UploadReport> => addFromLocation(location, description, context);
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || `${url.search}${url.username}${url.password}` !== '') return work();
  return noted(noteFor(context, location), { ...receiver(context, description), location }, work, context);
}

function receiver({ api: { host, tenant } }: LedgerContext, description: string | undefined): Receiver {
  return { host, tenant, ...(description === undefined ? {} : { description }) };
}

async function noted<T>(
  note: string,
  begun: Begun,
  work: () => Promise<T>,
  { api: { signal } }: LedgerContext,
): Promise<T> {
  const uploading = async (): Promise<T> => {
    await writeDocument(note, begun);
    return forgotten(note, work);
  };
  return withLock(note, uploading, { signal });
}

/** Removes the note once `work` has succeeded, or the server would say the same no again. */
export async function forgotten<T>(note: string, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    await rm(note, { force: true });
    return result;
  } catch (error) {
    if (isFinal(error)) await rm(note, { force: true });
    throw error;
  }
}

function isFinal(error: unknown): boolean {
  return [UsageError, DeniedError, UnsupportedError, NotFoundError].some((kind) => error instanceof kind);
}

/** The note of an upload to this server: of an absolute path or an address. */
export function noteFor({ cache, api }: LedgerContext, source: string): string {
  return join(notesFolder(cache), `${hexOf(digestOf(`${api.host} ${api.tenant} ${source}`))}.json`);
}

export function notesFolder({ root }: Pick<Cache, 'root'>): string {
  return join(root, 'uploads');
}
