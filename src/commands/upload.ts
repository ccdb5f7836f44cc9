import { finishUploads } from '../pipeline/release/storeFinish.ts';
import { uploadRecorded } from '../pipeline/release/storeLedger.ts';
import { CACHE_OPTIONS, cacheOf } from './options/cacheFolder.ts';
import { defineCommand } from './terminal/command.ts';
import { uploadText } from './terminal/uploadText.ts';
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
      requiresArg: true,
      describe: 'Description of the artifact on the server',
    },
    ...UPLOAD_OPTIONS,
    ...SERVER_OPTIONS,
    ...CACHE_OPTIONS,
  },
  async run({ file, description, directUpload, cacheDir, ...flags }, context) {
    const api = await openServer(flags, context);
    const { log, progress } = context;
    const store = { api, log, progress, cache: cacheOf(cacheDir, context) };
    await finishUploads(store, [file]);
    const report = await uploadRecorded({ path: file, description, direct: directUpload }, store);
    context.report({ host: api.host, ...report }, uploadText(report, api.host));
  },
});
