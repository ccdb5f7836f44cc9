import type { DeploymentError } from '../../errors.ts';
import { UsageError } from '../../errors.ts';
import { deployArtifact } from '../../pipeline/release/deploy.ts';
import { uploadWithNote } from '../../pipeline/release/uploadNotes.ts';
import type { UploadReport } from '../../pipeline/release/upload.ts';
import type { WatchReport } from '../../pipeline/release/watch.ts';
import type { Api } from '../../server/api.ts';
import { deploymentError } from '../../server/outcome.ts';
import type { UserError } from '../../errors.ts';
import { plannedArtifact } from '../../pipeline/build/build.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import { serverProblems } from '../../pipeline/release/preflight.ts';
import { openUploads } from '../open/uploadNotes.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';
import { DEPLOY_OPTIONS, deployRequest, deployWords, wantsDeployment } from '../options/deploy.ts';
import { SERVER_OPTIONS, serverHost } from '../options/server.ts';
import { UPLOAD_OPTIONS } from '../options/upload.ts';
import { watchText, watchWithLog } from '../options/watch.ts';
import { shellWord } from '../terminal/shellWord.ts';
import { deployHint, uploadText, watchHint } from '../terminal/uploadText.ts';

export const DELIVER_OPTIONS = {
  upload: {
    group: 'The server:',
    type: 'boolean',
    describe: 'Upload the artifact if there is a token (--no-upload: only build it)',
    defaultDescription: 'true',
  },
  description: {
    group: 'The server:',
    type: 'string',
    describe: 'Description of the artifact on the server',
  },
  ...UPLOAD_OPTIONS,
  ...SERVER_OPTIONS,
  ...DEPLOY_OPTIONS,
} as const;

export type DeliverFlags = FlagsOf<typeof DELIVER_OPTIONS> & { cacheDir?: string };

/**
 * Returns everything on the server that would make the delivery fail. Call it before the build.
 */
export async function deliveryProblems(
  { all, server }: { all: readonly Prepared[]; server: Api | undefined },
  flags: DeliverFlags,
): Promise<UserError[]> {
  if (server === undefined || flags.upload === false) return [];
  const planned = all.flatMap(({ plans, request }) => plans.map((plan) => plannedArtifact(plan, request)));
  const target = wantsDeployment(flags) ? deployRequest('', flags).target : undefined;
  return serverProblems(server, planned, target);
}

/** A built artifact to deliver. */
export interface Delivery {
  /** The .mender file. */
  path: string;
  artifactName: string;
}

export interface DeliveryReport {
  host: string;
  /** In the order of the files. */
  uploads: UploadReport[];
  /** Where one was asked for. */
  deployment?: { id: string; joined: boolean; watched?: WatchReport };
}

/**
 * Throws UsageError for options that contradict each other or can't work. Call it before the build.
 * `names` are the artifact names that will be built.
 */
export function checkDelivery(flags: DeliverFlags, names: readonly string[]): void {
  serverHost(flags);
  if (!wantsDeployment(flags)) return;
  if (flags.upload === false) {
    throw new UsageError(
      'a deployment needs the artifact on the server: leave out --no-upload, or deploy it later',
    );
  }
  if (new Set(names).size > 1) {
    throw new UsageError(`a deployment takes one artifact name, found ${[...new Set(names)].join(', ')}`, {
      hint: 'upload them without a device group, and deploy each to the devices that it is for',
    });
  }
  deployRequest(names[0] ?? '', flags);
}

/**
 * Uploads the files to `api` and deploys them, as the options say. Returns undefined if the options
 * want no upload. Without `api` there is no token: it warns and returns undefined. The report also
 * has a deployment that failed: `deliveryError` finds it.
 */
export async function deliver(
  files: readonly Delivery[],
  api: Api | undefined,
  flags: DeliverFlags,
  context: Context,
): Promise<DeliveryReport | undefined> {
  if (flags.upload === false) return undefined;
  if (api === undefined) {
    withoutToken(files, flags, context);
    return undefined;
  }
  const uploads = await uploadAll(api, files, flags, context);
  const [first] = files;
  if (first === undefined || !wantsDeployment(flags)) return { host: api.host, uploads };
  return { host: api.host, uploads, deployment: await deployOne(api, first.artifactName, flags, context) };
}

/** The DeploymentError of a delivery that did not end well, if any. */
export function deliveryError(report: DeliveryReport | undefined): DeploymentError | undefined {
  const watched = report?.deployment?.watched;
  return watched === undefined ? undefined : deploymentError(watched.outcome);
}

function withoutToken(files: readonly Delivery[], flags: DeliverFlags, context: Context): void {
  const commands = files.map(({ path }) => uploadCommand(path, context)).join('; ');
  context.log.warning(
    `nothing was uploaded: there is no token for ${serverHost(flags)}. Set MENDER_PAT or log in, then: ${commands}`,
  );
}

function uploadCommand(path: string, { typedServer = '' }: Context): string {
  return `mender-docker-delta upload ${shellWord(path)}${typedServer}`;
}

async function uploadAll(
  api: Api,
  files: readonly Delivery[],
  { description, directUpload, cacheDir }: DeliverFlags,
  context: Context,
): Promise<UploadReport[]> {
  const uploads = await openUploads(api, { cacheDir }, context);
  const reports: UploadReport[] = [];
  for (const { path } of files) {
    try {
      reports.push(await uploadWithNote({ path, description, direct: directUpload }, uploads));
    } catch (error) {
      context.log.warning(`${path} is not on the server; retry with: ${uploadCommand(path, context)}`);
      throw error;
    }
  }
  return reports;
}

async function deployOne(
  api: Api,
  name: string,
  flags: DeliverFlags,
  context: Context,
): Promise<{ id: string; joined: boolean; watched?: WatchReport }> {
  const { log, typedServer = '' } = context;
  const created = await deployArtifact(deployRequest(name, flags), { api, log }).catch((error: unknown) => {
    const retry = `mender-docker-delta deploy ${shellWord(name)}${deployWords(flags)}${typedServer}`;
    log.warning(`${name} is on ${api.host}; retry with: ${retry}`);
    throw error;
  });
  log.info(`${created.joined ? 'joined' : 'created'} deployment ${created.id}`);
  if (flags.waitForDeploy === false) return created;
  return { ...created, watched: await watchWithLog(api, created.id, flags, context) };
}

/** The delivery for people; undefined: nothing was uploaded. */
export function deliveryText(
  delivery: DeliveryReport | undefined,
  context: Pick<Context, 'typedServer'>,
): string {
  if (delivery === undefined) return 'not uploaded';
  const { host, uploads, deployment } = delivery;
  const lines = uploads.map((report) => uploadText(report, host));
  const names = [...new Set(uploads.map(({ name }) => name))];
  if (deployment === undefined)
    return [...lines, ...names.map((name) => deployHint(name, context))].join('\n');
  const watching = `deployment ${deployment.id} is running; ${watchHint(deployment.id, context)}`;
  return [...lines, deployment.watched ? watchText(deployment.watched) : watching].join('\n');
}
