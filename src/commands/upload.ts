import type { Argv } from 'yargs';
import { finishUploads } from '../pipeline/release/storeFinish.ts';
import { uploadRecorded } from '../pipeline/release/storeLedger.ts';
import { CACHE_OPTIONS, cacheOf } from './options/cacheFolder.ts';
import type { Command } from './terminal/command.ts';
import { uploadText } from './terminal/uploadText.ts';
import { UPLOAD_OPTIONS } from './options/upload.ts';
import { SERVER_OPTIONS, openServer } from './options/server.ts';
import type { ServerFlags } from './options/server.ts';

interface UploadFlags extends ServerFlags {
  file: string;
  description?: string;
  directUpload?: boolean;
  cacheDir?: string;
}

/** `upload FILE` */
export const uploadCommand: Command<UploadFlags> = {
  usage: 'upload <file>',
  describe: 'Upload a Mender Artifact; doing it again changes nothing',
  examples: [
    ['$0 upload app-1.2.mender --description "fixes the clock"', 'upload an artifact that build made'],
  ],
  options: (parser) =>
    parser.positional('file', { type: 'string', demandOption: true, describe: 'A .mender file' }).options({
      description: {
        type: 'string',
        requiresArg: true,
        describe: 'Description of the artifact on the server',
      },
      ...UPLOAD_OPTIONS,
      ...SERVER_OPTIONS,
      ...CACHE_OPTIONS,
    }) as unknown as Argv<UploadFlags>,
  async run({ file, description, directUpload, cacheDir, ...flags }, context) {
    const api = await openServer(flags, context);
    const { log, progress, environment } = context;
    const store = { api, log, progress, cache: cacheOf(cacheDir, environment) };
    await finishUploads(store, [file]);
    const report = await uploadRecorded({ path: file, description, direct: directUpload }, store);
    context.report({ host: api.host, ...report }, uploadText(report, api.host));
  },
};
