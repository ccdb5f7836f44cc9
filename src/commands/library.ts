import { download } from '../download/download.ts';
import { UsageError } from '../errors.ts';
import type { Library } from '../library/client.ts';
import { containerId } from '../library/containers.ts';
import { deleteImage, expectedFile, getImage } from '../library/images.ts';
import type { LibraryReference } from '../library/reference.ts';
import { formatLibraryReference, isReferencePart, parseWrittenReference } from '../library/reference.ts';
import { locateInLibrary, LIBRARY_PARTS, locateFile } from '../library/locateFile.ts';
import type { SearchResult } from '../library/search.ts';
import { search } from '../library/search.ts';
import { setTags } from '../library/tags.ts';
import { uploadImage } from '../library/upload/upload.ts';
import type { LibraryAction, LibraryCommandFlags } from './options/library.ts';
import { LIBRARY_OPTIONS, LIBRARY_POSITIONALS } from './options/library.ts';
import { openLibrary } from './options/libraryAccess.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context } from './terminal/command.ts';
import { formatBytes, formatTable } from './terminal/format.ts';

/** `library push|pull|search|tag|rm` */
export const libraryCommand = defineCommand({
  usage: 'library <action> <words..>',
  describe: 'Push, pull, search, tag or remove files in a container library',
  examples: [
    [
      '$0 library push app.oci.tar library://acme/apps/gateway:1.2,latest',
      'push an image archive, with two tags',
    ],
    [
      '$0 library pull library://acme/apps/gateway:1.2 -o app.oci.tar',
      'download; run again after a break, it goes on',
    ],
    ['$0 library tag library://acme/apps/gateway:1.2 stable', 'let another tag mean the same file'],
    ['$0 library rm library://acme/apps/gateway:1.2 --arch arm64', 'remove it'],
  ],
  positionals: LIBRARY_POSITIONALS,
  options: LIBRARY_OPTIONS,
  run: (flags, context) => RUN[flags.action](flags, context),
});

type Run = (flags: LibraryCommandFlags, context: Context) => Promise<void>;

/** What each action does; it prints the result. */
const RUN: Record<LibraryAction, Run> = {
  push: async (flags, context) => {
    const [file, text] = exactly(flags, 'FILE REFERENCE');
    const { reference, library } = await opened(text, flags, context);
    const tags = [...tagsOf(reference.tags ?? ['latest'])];
    const request = { file, path: reference.path, arch: flags.arch, tags, ...described(flags) };
    const result = await uploadImage(library, request, context.progress);
    const verb = result.outcome === 'present' ? 'was there already, now tagged' : 'pushed as';
    const what = `${file} (${formatBytes(result.size)})`;
    show(
      context,
      { reference: nameOf(reference), tags, ...result },
      `${what} ${verb} ${nameOf({ ...reference, tags })}`,
    );
  },
  pull: async (flags, context) => {
    const [text] = exactly(flags, 'REFERENCE');
    const { reference, library, tag } = await openedOne(text, flags, context);
    const { path } = reference;
    const image = await getImage(library, { ref: `${path}:${tag}`, arch: flags.arch });
    const expected = expectedFile(image, text);
    if (expected.digest === undefined)
      context.log.warning(`${text}: the library tells no SHA-256 to compare with`);
    const key = { path, tag, arch: flags.arch };
    const file = await (flags.workers > 1
      ? locateFile(library, key, { ...LIBRARY_PARTS, workers: flags.workers }, expected)
      : locateInLibrary(library, key, undefined, expected));
    const output = flags.output ?? `${path.split('/').at(-1) ?? ''}_${tag}`;
    const { size, resumedFrom } = await download(file, output, context);
    const result = { reference: nameOf(reference), path: output, size, resumedFrom, digest: expected.digest };
    show(context, result, `pulled ${nameOf(reference)} (${formatBytes(size)}) to ${output}`);
  },
  search: async (flags, context) => {
    const [text] = exactly(flags, 'TEXT');
    const found = await search(await openLibrary(undefined, flags, context), text);
    show(context, found, searchText(found));
  },
  tag: async (flags, context) => {
    const [text = '', ...given] = flags.words;
    if (given.length === 0) throw new UsageError('library tag: expected REFERENCE TAG..');
    const tags = tagsOf(given);
    const { reference, library, tag } = await openedOne(text, flags, context);
    const image = await getImage(library, { ref: `${reference.path}:${tag}`, arch: flags.arch });
    const tagged = {
      containerId: await containerId(library, reference.path),
      imageId: image.id,
      arch: flags.arch,
    };
    const moved = await setTags(library, tagged, tags);
    const result = { reference: nameOf(reference), imageId: image.id, tags, moved };
    show(context, result, `${nameOf(reference)} is now also ${tags.join(', ')}`);
  },
  rm: async (flags, context) => {
    const [text] = exactly(flags, 'REFERENCE');
    const { reference, library, tag } = await openedOne(text, flags, context);
    if (reference.tags === undefined) throw new UsageError(`library rm ${text}: say which tag to remove`);
    await deleteImage(library, { ref: `${reference.path}:${tag}`, arch: flags.arch });
    show(
      context,
      { reference: nameOf(reference), arch: flags.arch },
      `removed ${nameOf(reference)} for ${flags.arch}`,
    );
  },
};

function exactly({ action, words }: LibraryCommandFlags, expected: string): [string, string] {
  const [first = '', second = ''] = words;
  if (words.length === expected.split(' ').length) return [first, second];
  throw new UsageError(`library ${action}: expected ${expected}`);
}

interface Opened {
  reference: LibraryReference;
  library: Library;
}

async function opened(text: string, flags: LibraryCommandFlags, context: Context): Promise<Opened> {
  const reference = parseWrittenReference(text);
  return { reference, library: await openLibrary(reference.host, flags, context) };
}

/** For actions on one file, whose tag is `latest` where none is given. */
async function openedOne(
  text: string,
  flags: LibraryCommandFlags,
  context: Context,
): Promise<Opened & { tag: string }> {
  const found = await opened(text, flags, context);
  const [tag = 'latest', ...more] = found.reference.tags ?? [];
  if (more.length === 0) return { ...found, tag };
  throw new UsageError(`library ${flags.action} ${text}: expected one tag, found ${more.length + 1}`);
}

function tagsOf(tags: readonly string[]): readonly string[] {
  const wrong = tags.find((tag) => !isReferencePart(tag));
  if (wrong === undefined) return tags;
  throw new UsageError(`${JSON.stringify(wrong)} is no tag of a library`, {
    hint: 'use lower-case letters and digits, with single ., _ or - between them',
  });
}

function described({ description }: LibraryCommandFlags): { description?: string } {
  return description === undefined ? {} : { description };
}

function nameOf(reference: LibraryReference): string {
  return formatLibraryReference(reference);
}

function show(context: Context, result: object, text: string): void {
  context.report(result, text);
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
  return rows.length === 0 ? 'nothing found' : formatTable(['KIND', 'NAME', 'ARCH', 'SIZE', 'ID'], rows, [3]);
}
