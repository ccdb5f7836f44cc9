import { resolve } from 'node:path';
import { optional } from 'valibot';
import type { Context } from '../commands/terminal/command.ts';
import { download } from '../download/download.ts';
import type { Downloaded } from '../download/download.ts';
import { tokenFrom } from '../http/token.ts';
import type { Library } from '../library/client.ts';
import { libraryBase } from '../library/client.ts';
import { containerId } from '../library/containers.ts';
import { getEntity } from '../library/entities.ts';
import type { ImageKey } from '../library/images.ts';
import { deleteImage, expectedFile, getImage, lookUpImage } from '../library/images.ts';
import type { LocatedFile } from '../library/locateFile.ts';
import { LIBRARY_PARTS, locateInLibrary, locateFile } from '../library/locateFile.ts';
import { search } from '../library/search.ts';
import { getTags, setImageTags } from '../library/tags.ts';
import { uploadImage } from '../library/upload/upload.ts';
import { askVersion } from '../library/version.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { methodsWithoutSecrets } from './withoutSecrets.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import { amount, text, texts } from './schemas.ts';

export interface ContainerLibraryOptions {
  /** The address of the library. */
  address: string;
  /** It goes to this library only. An empty one counts as none. */
  token?: string;
}

/** One file in a library. */
export interface LibraryFileKey {
  /** `entity/collection/container` */
  path: string;
  tag: string;
  arch: string;
}

/** What a library knows of a file. */
export interface LibraryImage {
  id: string;
  /** `sha256.<hex>` of the file, or `sif.<uuid>`. */
  hash?: string | undefined;
  /** Bytes. */
  size?: number | undefined;
  /** False while its bytes are missing. */
  uploaded?: boolean | undefined;
  arch?: string | undefined;
}

interface Named {
  id: string;
  name?: string | undefined;
}

/** What a search found, by kind. */
export interface LibrarySearch {
  entity: Named[];
  collection: Named[];
  container: Named[];
  image: LibraryImage[];
}

/** A file for a library. */
export interface LibraryUpload {
  file: string;
  /** `entity/collection/container`, without tags. */
  path: string;
  arch: string;
  tags: readonly string[];
  description?: string;
}

/** A container library: the protocol of Apptainer and Sylabs. */
export interface ContainerLibrary {
  /** `apiVersion` is empty for an old library. */
  version(): Promise<{ version: string; apiVersion: string }>;
  /** What the library knows of a file, or undefined if it has no such file. */
  lookUp(key: LibraryFileKey): Promise<LibraryImage | undefined>;
  /**
   * Continues where an earlier download broke off. `workers` parts are downloaded at a time, 4 by
   * default.
   */
  download(key: LibraryFileKey, path: string, options?: { workers?: number }): Promise<Downloaded>;
  /** Sends nothing if the library has these bytes; then it only sets the tags. */
  upload(request: LibraryUpload): Promise<{ imageId: string; size: number; outcome: 'uploaded' | 'present' }>;
  /** Finds names that contain `text`, which has at least three characters. */
  search(text: string, arch?: string): Promise<LibrarySearch>;
  /** Gives a file more tags. Returns what moved tags meant before: image ids by tag. */
  tag(key: LibraryFileKey, tags: readonly string[]): Promise<Record<string, string>>;
  /**
   * The tags of a container: image ids by tag, for each architecture. A library that keeps one set
   * of tags for all architectures has it under an empty name. `path` is
   * `entity/collection/container`. Throws NotFoundError.
   */
  tags(path: string): Promise<Record<string, Record<string, string>>>;
  /**
   * The bytes that a user or an organisation stores and may store. A quota of 0 is no limit. Throws
   * NotFoundError.
   */
  quota(entity: string): Promise<{ used: number; quota: number }>;
  delete(key: LibraryFileKey): Promise<void>;
}

const SCHEMA: SchemaOf<ContainerLibraryOptions> = { address: text, token: optional(text) };
const KEY_SCHEMA: SchemaOf<LibraryFileKey> = { path: text, tag: text, arch: text };
const UPLOAD_SCHEMA: SchemaOf<LibraryUpload> = {
  file: text,
  path: text,
  arch: text,
  tags: texts,
  description: optional(text),
};

/** Opens a container library. Throws UsageError for an invalid address. */
export function containerLibrary(options: ContainerLibraryOptions, run: RunOptions = {}): ContainerLibrary {
  checkOptions(options, SCHEMA);
  const context = contextOf(run);
  const { http, log, signal } = context;
  const { address, token = '' } = options;
  const base = libraryBase(address);
  const library = { http, log, base, signal, token: tokenFrom(token, `${base}: token`) };
  return methodsWithoutSecrets({ ...transfers(library, context), ...names(library) });
}

function transfers(
  library: Library,
  { folder, log, progress, signal }: Context,
): Pick<ContainerLibrary, 'download' | 'upload'> {
  return {
    download: async (key, path, options = {}) => {
      checkArgument('path', path, text);
      const file = await locate(library, key, options);
      return download(file, resolve(folder, path), { log, progress, signal });
    },
    upload: async (request) => {
      checkOptions(request, UPLOAD_SCHEMA);
      return uploadImage(library, { ...request, file: resolve(folder, request.file) }, progress);
    },
  };
}

/** Finds the file of an image. More than one worker fetches it in parts. */
async function locate(
  library: Library,
  key: LibraryFileKey,
  options: { workers?: number },
): Promise<LocatedFile> {
  checkOptions(options, { workers: optional(amount) });
  const { workers = LIBRARY_PARTS.workers } = options;
  const image = await getImage(library, imageKey(key));
  const expected = expectedFile(image, imageKey(key).ref);
  return workers > 1
    ? locateFile(library, key, { ...LIBRARY_PARTS, workers }, expected)
    : locateInLibrary(library, key, undefined, expected);
}

function names(library: Library): Omit<ContainerLibrary, 'download' | 'upload'> {
  return {
    version: () => askVersion(library),
    lookUp: async (key) => lookUpImage(library, imageKey(key)),
    search: async (part, arch) => {
      checkArgument('text', part, text);
      checkArgument('arch', arch, optional(text));
      return search(library, part, { arch });
    },
    tag: async (key, tags) => {
      checkArgument('tags', tags, texts);
      const image = await getImage(library, imageKey(key));
      const container = await containerId(library, key.path);
      return setImageTags(library, { containerId: container, imageId: image.id, arch: key.arch }, tags);
    },
    tags: async (path) => {
      checkArgument('path', path, text);
      return getTags(library, await containerId(library, path));
    },
    quota: async (entity) => {
      checkArgument('entity', entity, text);
      const { size = 0, quota = 0 } = await getEntity(library, entity);
      return { used: size, quota };
    },
    delete: async (key) => deleteImage(library, imageKey(key)),
  };
}

function imageKey(key: LibraryFileKey): ImageKey {
  checkOptions(key, KEY_SCHEMA);
  const { path, tag, arch } = key;
  return { ref: `${path}:${tag}`, arch };
}
