import { UsageError } from '../../errors.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import { finishUploads } from '../../pipeline/release/finishUploads.ts';
import { replaceArtifact, replaceFromLocation } from '../../pipeline/release/replace.ts';
import { uploadLocationWithNote, uploadWithNote } from '../../pipeline/release/uploadNotes.ts';
import type { UploadReport } from '../../pipeline/release/upload.ts';
import type { Api } from '../../server/api.ts';
import { changeDescription } from '../../server/artifacts.ts';
import { resolveArtifact } from '../../server/resolve.ts';
import type { ArtifactsFlags } from '../options/artifacts.ts';
import { openUploads } from '../open/uploadNotes.ts';
import type { Context } from '../terminal/command.ts';
import { uploadText } from '../terminal/uploadText.ts';

/** `artifacts add FILE | --location URL`: first finishes what was cut off before. */
export async function runAdd(api: Api, flags: ArtifactsFlags, context: Context): Promise<void> {
  const { artifact: files = [], location, description } = flags;
  const [file, ...more] = files;
  if ((file === undefined) === (location === undefined) || more.length > 0) {
    throw new UsageError('artifacts add: expected one file or --location, never both');
  }
  const store = await openUploads(api, flags, context);
  const finished = await finishUploads(store, [file ?? location ?? '']);
  const report =
    file === undefined
      ? await uploadLocationWithNote({ location: location ?? '', description }, store)
      : await uploadWithNote({ path: file, description }, store);
  show(context, api, report, finished);
}

/** `artifacts update ARTIFACT [--description TEXT] [--replace FILE | --location URL]` */
export async function runUpdate(api: Api, flags: ArtifactsFlags, context: Context): Promise<void> {
  const { description, replace, location } = flags;
  checkUpdate(flags);
  // Before a server is asked.
  if (replace !== undefined) await readArtifactFile(replace);
  const store = await openUploads(api, flags, context);
  const finished = await finishUploads(store, [replace ?? location ?? ''].filter(Boolean));
  const artifact = await resolveArtifact(api, flags.artifact?.[0] ?? '');
  const { id, name } = artifact;
  if (replace !== undefined)
    show(context, api, await replaceArtifact(artifact, { path: replace, description }, store), finished);
  else if (location !== undefined)
    show(context, api, await replaceFromLocation(artifact, { location, description }, store), finished);
  else {
    await changeDescription(api, id, description ?? '');
    context.report({ id, name, description }, `changed the description of ${name} (${id})`);
  }
}

/** Throws UsageError for options that say nothing or contradict each other. */
function checkUpdate({ artifact = [], description, replace, location }: ArtifactsFlags): void {
  if (description === undefined && replace === undefined && location === undefined)
    throw new UsageError('artifacts update: expected --description, --replace or --location');
  if (replace !== undefined && location !== undefined)
    throw new UsageError('artifacts update: expected --replace or --location, never both');
  if (artifact.length !== 1)
    throw new UsageError('artifacts update: expected the id or name of one artifact');
}

function show(context: Context, api: Api, report: UploadReport, finished: UploadReport[]): void {
  const text = [...finished, report].map((one) => uploadText(one, api.host)).join('\n');
  context.report({ host: api.host, ...report, finished }, text);
}
