import { UsageError } from '../errors.ts';
import type { Library } from '../library/client.ts';
import { containerId } from '../library/containers.ts';
import { getEntity } from '../library/entities.ts';
import { getImage } from '../library/images.ts';
import { parseWrittenReference, splitLibraryPath } from '../library/reference.ts';
import type { SearchResult } from '../library/search.ts';
import { search } from '../library/search.ts';
import { getTags } from '../library/tags.ts';
import { askVersion } from '../library/version.ts';
import { actionWords } from './options/library.ts';
import type { LibraryCommandFlags } from './options/library.ts';
import { openLibrary } from './open/libraryAccess.ts';
import type { Context } from './terminal/command.ts';
import { formatBytes } from '../io/amounts.ts';
import { formatList, formatTable } from './terminal/format.ts';

/** `library search TEXT`: for every architecture, unless the user names one. */
export async function printSearch(flags: LibraryCommandFlags, context: Context): Promise<void> {
  const [text] = actionWords(flags, 'TEXT');
  const library = await openLibrary(undefined, flags, context);
  const found = await search(library, text, { arch: flags.arch, signed: flags.signed });
  context.report(found, searchText(found));
}

function searchText(found: SearchResult): string {
  const rows = (['entity', 'collection', 'container', 'image'] as const).flatMap((kind) =>
    found[kind].map(({ id, name = '', hash = '', arch = '', size }) => [
      kind,
      String(name || hash),
      String(arch),
      typeof size === 'number' && size > 0 ? formatBytes(size) : '',
      id,
    ]),
  );
  return formatList('nothing found', ['KIND', 'NAME', 'ARCH', 'SIZE', 'ID'], rows, [3]);
}

/** `library show REFERENCE`: what the library knows of one file. */
export async function printImage(flags: LibraryCommandFlags, context: Context): Promise<void> {
  const [text] = actionWords(flags, 'REFERENCE');
  const { library, path, tags } = await openReference(text, flags, context);
  const [tag = 'latest'] = tags;
  const image = await getImage(library, { ref: `${path}:${tag}`, arch: flags.arch ?? '' });
  const rows = Object.entries(image)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([name, value]) => [name, String(value)]);
  context.report(image, formatTable(['FIELD', 'VALUE'], rows));
}

/** `library tags REFERENCE`: the tags of a container, with the images that they mean. */
export async function printTags(flags: LibraryCommandFlags, context: Context): Promise<void> {
  const [text] = actionWords(flags, 'REFERENCE');
  const { library, path } = await openReference(text, flags, context);
  const tags = await getTags(library, await containerId(library, path));
  const rows = Object.entries(tags)
    .filter(([arch]) => flags.arch === undefined || arch === '' || arch === flags.arch)
    .flatMap(([arch, ids]) => Object.entries(ids).map(([tag, id]) => [tag, arch, id]));
  context.report(tags, formatList('no tags', ['TAG', 'ARCH', 'IMAGE'], rows));
}

/** `library version`: the version of the library and of its API. */
export async function printVersion(flags: LibraryCommandFlags, context: Context): Promise<void> {
  if ((flags.words ?? []).length > 0) throw new UsageError('library version: expected no words');
  const found = await askVersion(await openLibrary(undefined, flags, context));
  const api = found.apiVersion === '' ? 'without a version' : found.apiVersion;
  context.report(found, `library ${found.version}, API ${api}`);
}

/** `library quota ENTITY`: the bytes that a user or an organisation stores and may store. */
export async function printQuota(flags: LibraryCommandFlags, context: Context): Promise<void> {
  const [text] = actionWords(flags, 'ENTITY');
  const { library, path } = await openReference(text, flags, context);
  const { entity, collection, container } = splitLibraryPath(path);
  const name = entity || collection || container;
  const { size = 0, quota = 0 } = await getEntity(library, name);
  const limit = quota > 0 ? formatBytes(quota) : 'no limit';
  context.report({ entity: name, used: size, quota }, `${name}: ${formatBytes(size)} used of ${limit}`);
}

interface OpenedReference {
  library: Library;
  path: string;
  tags: readonly string[];
}

/** A text without the scheme is a path in the library of LIBRARY_URL. */
async function openReference(
  text: string,
  flags: LibraryCommandFlags,
  context: Context,
): Promise<OpenedReference> {
  const written = text.startsWith('library:') ? text : `library:${text}`;
  const { host, path, tags = [] } = parseWrittenReference(written);
  return { library: await openLibrary(host, flags, context), path, tags };
}
