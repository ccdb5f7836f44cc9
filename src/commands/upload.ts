import { confusionOf } from '../pipeline/release/uploadChecks.ts';
import { finishUploads } from '../pipeline/release/finishUploads.ts';
import { uploadWithNote } from '../pipeline/release/uploadNotes.ts';
import { openUploads } from './open/uploadNotes.ts';
import { UNUSED_CACHE_OPTIONS } from './options/cacheFolder.ts';
import { defineCommand } from './terminal/command.ts';
import { deployHint, uploadText } from './terminal/uploadText.ts';
import { UPLOAD_OPTIONS } from './options/upload.ts';
import { SERVER_OPTIONS, openServer } from './options/server.ts';

/** `upload FILE` */
export const uploadCommand = defineCommand({
  usage: 'upload <file>',
  describe: 'Upload a Mender Artifact; doing it again changes nothing',
  examples: [
    ['$0 upload app-1.2.mender --description "fixes the clock"', 'upload an artifact that build made'],
  ],
  positionals: { file: { type: 'string', demandOption: true, describe: 'A .mender file' } },
  options: {
    description: {
      type: 'string',
      describe: 'Description of the artifact on the server',
    },
    ...UPLOAD_OPTIONS,
    ...SERVER_OPTIONS,
    ...UNUSED_CACHE_OPTIONS,
  },
  async run({ file, description, directUpload, cacheDir, ...flags }, context) {
    const api = await openServer(flags, context);
    const uploads = await openUploads(api, { cacheDir }, context);
    await finishUploads(uploads, [file]);
    const report = await uploadWithNote({ path: file, description, direct: directUpload }, uploads);
    const confusion = await confusionOf(file, api);
    if (confusion !== undefined) context.log.warning(confusion);
    const text = `${uploadText(report, api.host)}\n${deployHint(report.name, context)}`;
    context.report({ host: api.host, ...report }, text);
  },
});
