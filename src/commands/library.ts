import { download } from '../download/download.ts';
import { UsageError } from '../errors.ts';
import type { Library } from '../library/client.ts';
import { containerId } from '../library/containers.ts';
import { deleteImage, expectedFile, getImage } from '../library/images.ts';
import type { LibraryReference } from '../library/reference.ts';
import { formatLibraryReference, isReferencePart, parseWrittenReference } from '../library/reference.ts';
import { locateInLibrary, LIBRARY_PARTS, locateFile } from '../library/locateFile.ts';
import { setImageTags } from '../library/tags.ts';
import { uploadImage } from '../library/upload/upload.ts';
import type { LibraryAction, LibraryCommandFlags } from './options/library.ts';
import { LIBRARY_OPTIONS, LIBRARY_POSITIONALS, actionWords } from './options/library.ts';
import { printImage, printQuota, printSearch, printTags, printVersion } from './libraryLookups.ts';
import { openLibrary } from './open/libraryAccess.ts';
import { parseSize } from './options/size.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context } from './terminal/command.ts';
import { formatBytes } from '../io/amounts.ts';

/** More requests at a time would trouble the library. */
const MOST_WORKERS = 64;

/** `library push|pull|tag|rm|search|show|tags|version|quota` */
export const libraryCommand = defineCommand({
  usage: 'library <action> [words..]',
  describe: 'Push, pull, tag, remove, search and show files in a container library',
  examples: [
    [
      '$0 library push app.oci.tar library://acme/apps/gateway:1.2,latest',
      'push an image archive, with two tags',
    ],
    [
      '$0 library pull library://acme/apps/gateway:1.2 -o app.oci.tar',
      'download; after a break, run it again to resume',
    ],
    ['$0 library tag library://acme/apps/gateway:1.2 stable', 'add another tag to the same file'],
    ['$0 library rm library://acme/apps/gateway:1.2 --arch arm64', 'remove it'],
    ['$0 library tags library://acme/apps/gateway', 'list its tags'],
    ['$0 library search gateway --arch arm64 --signed', 'search signed images for one architecture'],
  ],
  positionals: LIBRARY_POSITIONALS,
  options: LIBRARY_OPTIONS,
  run: (flags, context) => RUN[flags.action](flags, context),
});

type Run = (flags: LibraryCommandFlags, context: Context) => Promise<void>;

/** Runs an action and prints its result. */
const RUN: Record<LibraryAction, Run> = {
  push: async (flags, context) => {
    const [file, text] = actionWords(flags, 'FILE REFERENCE');
    const { reference, library } = await openReference(text, flags, context);
    const tags = [...checkedTags(reference.tags ?? ['latest'])];
    const request = {
      ...{ file, path: reference.path, arch: archOf(flags), tags },
      ...(flags.description === undefined ? {} : { description: flags.description }),
    };
    const result = await uploadImage(library, request, context.progress);
    const verb = result.outcome === 'present' ? 'was there already, now tagged' : 'pushed as';
    const what = `${file} (${formatBytes(result.size)})`;
    context.report(
      { reference: formatLibraryReference(reference), tags, ...result },
      `${what} ${verb} ${formatLibraryReference({ ...reference, tags })}`,
    );
  },
  pull: async (flags, context) => {
    const [text] = actionWords(flags, 'REFERENCE');
    const parts = { size: partSizeOf(flags), workers: workersOf(flags) };
    const { reference, library, tag } = await openFile(text, flags, context);
    const { path } = reference;
    const image = await getImage(library, { ref: `${path}:${tag}`, arch: archOf(flags) });
    const expected = expectedFile(image, text);
    if (expected.digest === undefined) {
      context.log.warning(`${text}: the library does not tell a SHA-256, so the file can't be checked`);
    }
    const key = { path, tag, arch: archOf(flags) };
    const file = await (parts.workers > 1
      ? locateFile(library, key, parts, expected)
      : locateInLibrary(library, key, undefined, expected));
    const output = flags.output ?? `${path.split('/').at(-1) ?? ''}_${tag}`;
    const { size, resumedFrom } = await download(file, output, context);
    const result = {
      reference: formatLibraryReference(reference),
      path: output,
      size,
      resumedFrom,
      digest: expected.digest,
    };
    context.report(result, `pulled ${formatLibraryReference(reference)} (${formatBytes(size)}) to ${output}`);
  },
  search: printSearch,
  show: printImage,
  tags: printTags,
  version: printVersion,
  quota: printQuota,
  tag: async (flags, context) => {
    const [text = '', ...given] = flags.words ?? [];
    if (given.length === 0) throw new UsageError('library tag: expected REFERENCE TAG..');
    const tags = checkedTags(given);
    const { reference, library, tag } = await openFile(text, flags, context);
    const image = await getImage(library, { ref: `${reference.path}:${tag}`, arch: archOf(flags) });
    const tagged = {
      containerId: await containerId(library, reference.path),
      imageId: image.id,
      arch: archOf(flags),
    };
    const moved = await setImageTags(library, tagged, tags);
    const result = { reference: formatLibraryReference(reference), imageId: image.id, tags, moved };
    context.report(result, `${formatLibraryReference(reference)} is now also ${tags.join(', ')}`);
  },
  rm: async (flags, context) => {
    const [text] = actionWords(flags, 'REFERENCE');
    const { reference, library, tag } = await openFile(text, flags, context);
    if (reference.tags === undefined) throw new UsageError(`library rm ${text}: say which tag to remove`);
    await deleteImage(library, { ref: `${reference.path}:${tag}`, arch: archOf(flags) });
    context.report(
      { reference: formatLibraryReference(reference), arch: archOf(flags) },
      `removed ${formatLibraryReference(reference)} for ${archOf(flags)}`,
    );
  },
};

interface Opened {
  reference: LibraryReference;
  library: Library;
}

async function openReference(text: string, flags: LibraryCommandFlags, context: Context): Promise<Opened> {
  const reference = parseWrittenReference(text);
  return { reference, library: await openLibrary(reference.host, flags, context) };
}

/** Opens the reference of one file. Its tag is `latest` if none is given. */
async function openFile(
  text: string,
  flags: LibraryCommandFlags,
  context: Context,
): Promise<Opened & { tag: string }> {
  const found = await openReference(text, flags, context);
  const [tag = 'latest', ...more] = found.reference.tags ?? [];
  if (more.length === 0) return { ...found, tag };
  throw new UsageError(`library ${flags.action} ${text}: expected one tag, found ${more.length + 1}`);
}

function checkedTags(tags: readonly string[]): readonly string[] {
  const wrong = tags.find((tag) => !isReferencePart(tag));
  if (wrong === undefined) return tags;
  throw new UsageError(`${JSON.stringify(wrong)} is not a tag of a library`, {
    hint: 'use lower-case letters and digits, with single ., _ or - between them',
  });
}

function archOf({ arch }: LibraryCommandFlags): string {
  return arch ?? 'amd64';
}

function workersOf({ workers }: LibraryCommandFlags): number {
  if (Number.isInteger(workers) && workers >= 1 && workers <= MOST_WORKERS) return workers;
  throw new UsageError(`--workers ${workers}: expected a whole number from 1 to ${MOST_WORKERS}`);
}

function partSizeOf({ partSize }: LibraryCommandFlags): number {
  if (partSize === undefined) return LIBRARY_PARTS.size;
  const size = parseSize(partSize, '--part-size');
  if (size > 0) return size;
  throw new UsageError(`--part-size ${JSON.stringify(partSize)}: expected more than 0 bytes`);
}
