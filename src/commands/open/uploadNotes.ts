import { join } from 'node:path';
import { hasEntries } from '../../io/files.ts';
import type { NotesContext } from '../../pipeline/release/uploadNotes.ts';
import type { Api } from '../../server/api.ts';
import type { Context } from '../terminal/command.ts';
import { cacheOf, stateFolder } from '../options/cacheFolder.ts';

/** The folder of upload notes. */
export function notesFolder(place: Pick<Context, 'environment' | 'home'>): string {
  return join(stateFolder(place), 'uploads');
}

/** What uploads to a server use. Warns of notes that older versions left in the cache. */
export async function openUploads(
  api: Api,
  { cacheDir }: { cacheDir?: string | undefined },
  context: Context,
): Promise<NotesContext> {
  const { log, progress } = context;
  const old = join(cacheOf(cacheDir, context).root, 'uploads');
  if (await hasEntries(old)) {
    log.warning(
      `ignoring the notes of interrupted uploads in ${old}; upload those files again and remove it`,
    );
  }
  return { api, log, progress, notes: notesFolder(context) };
}
