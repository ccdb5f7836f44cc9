import type { Argv } from 'yargs';
import { finishUploads } from '../pipeline/artifactStoreFinish.ts';
import { uploadRecorded } from '../pipeline/artifactStoreLedger.ts';
import type { UploadReport } from '../pipeline/upload.ts';
import { CACHE_OPTIONS, cacheOf } from './cacheFolder.ts';
import type { Command } from './command.ts';
import { formatBytes } from './format.ts';
import { SERVER_OPTIONS, openServer } from './serverOptions.ts';
import type { ServerFlags } from './serverOptions.ts';

interface UploadFlags extends ServerFlags {
  file: string;
  description?: string;
  directUpload?: boolean;
  cacheDir?: string;
}

/** What every command that uploads offers. */
export const UPLOAD_OPTIONS = {
  'direct-upload': {
    group: 'The server:',
    type: 'boolean',
    describe: "Upload straight to the server's storage, where a self-hosted server offers that",
  },
} as const;

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

/** One line for a person. */
export function uploadText({ name, id, size, outcome }: UploadReport, host: string): string {
  const what = `${name} (${formatBytes(size)})`;
  if (outcome === 'present') return `${what} is on ${host} already, as artifact ${id}`;
  return `uploaded ${what} to ${host} as artifact ${id}`;
}
