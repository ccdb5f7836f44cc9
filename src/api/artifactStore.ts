import { resolve } from 'node:path';
import { optional } from 'valibot';
import { notesFolder } from '../commands/open/uploadNotes.ts';
import type { Context } from '../commands/terminal/command.ts';
import { UsageError } from '../errors.ts';
import type { Downloaded } from '../download/download.ts';
import { tokenFrom } from '../http/token.ts';
import { hideCredentials } from '../io/redact.ts';
import type { DeployReport } from '../pipeline/release/deploy.ts';
import { deployArtifact } from '../pipeline/release/deploy.ts';
import type { PruneRequest, Pruned } from '../pipeline/release/retention.ts';
import { pruneArtifacts } from '../pipeline/release/retention.ts';
import { finishUploads } from '../pipeline/release/finishUploads.ts';
import { replaceArtifact, replaceFromLocation } from '../pipeline/release/replace.ts';
import type { LocationRequest } from '../pipeline/release/uploadNotes.ts';
import type { NotesContext } from '../pipeline/release/uploadNotes.ts';
import { uploadLocationWithNote, uploadWithNote } from '../pipeline/release/uploadNotes.ts';
import type { UploadReport, UploadRequest } from '../pipeline/release/upload.ts';
import type { WatchReport } from '../pipeline/release/watch.ts';
import { watchDeployment } from '../pipeline/release/watch.ts';
import type { Api } from '../server/api.ts';
import { createApi } from '../server/api.ts';
import type { Artifact, ArtifactQuery } from '../server/artifacts.ts';
import { deleteArtifact, changeDescription, listArtifacts } from '../server/artifacts.ts';
import { downloadArtifact } from '../server/download.ts';
import { DEFAULT_HOST, parseServerHost } from '../server/host.ts';
import { resolveArtifact } from '../server/resolve.ts';
import type { StoredFile } from '../server/storedFile.ts';
import { askHead } from '../server/storedFile.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import type { DeployOptions, WatchOptions } from './deployments.ts';
import { deployRequestOf, watchRequestOf } from './deployments.ts';
import { PRUNE_SCHEMA, QUERY_SCHEMA, UPLOAD_SCHEMA } from './storeSchemas.ts';
import { text } from './schemas.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { methodsWithoutSecrets } from './withoutSecrets.ts';

export interface ArtifactStoreOptions {
  /** The Mender server. The default is `https://hosted.mender.io`. */
  host?: string;
  /** A personal access token. It goes to this host only. */
  token: string;
  /** Absolute path of the user's own folder where interrupted uploads are noted, for `finish`. */
  notes?: string;
}

/**
 * The artifacts and deployments of a Mender server. `reference` is the id or the name of an
 * artifact.
 */
export interface ArtifactStore {
  readonly host: string;
  list(query?: ArtifactQuery): Promise<Artifact[]>;
  /** Throws NotFoundError, and UsageError if several artifacts have the name. */
  show(reference: string): Promise<Artifact>;
  /** What the storage says of the artifact's file. */
  head(reference: string): Promise<StoredFile>;
  /** Continues where an earlier download broke off. */
  download(reference: string, path: string): Promise<Downloaded>;
  /** Uploads a file. If the server has exactly this file, nothing is sent. */
  add(request: UploadRequest): Promise<UploadReport>;
  /** Lets the bytes of an address flow to the server without a copy on this machine. */
  addFrom(location: string, description?: string): Promise<UploadReport>;
  /** Finishes uploads that broke off in earlier runs. */
  finish(): Promise<UploadReport[]>;
  describe(reference: string, description: string): Promise<void>;
  /** Deletes the artifact and adds the file, which must hold an artifact of the same name. */
  replace(reference: string, request: UploadRequest): Promise<UploadReport>;
  /** The same with the artifact at an address. This machine keeps no copy of it. */
  replaceFrom(reference: string, location: string, description?: string): Promise<UploadReport>;
  delete(reference: string): Promise<void>;
  /** Deletes old versions of an application by retention rules. */
  prune(request: PruneRequest): Promise<Pruned[]>;
  /** Creates a deployment, or joins an identical one. */
  deploy(options: DeployOptions): Promise<DeployReport>;
  /** Waits for a deployment, and returns how it ended. A failed deployment throws nothing. */
  watch(options: WatchOptions): Promise<WatchReport>;
}

const STORE_SCHEMA: SchemaOf<ArtifactStoreOptions> = {
  host: optional(text),
  token: text,
  notes: optional(text),
};

/** Opens the store of a Mender server. Throws UsageError for an invalid host or an empty token. */
export function artifactStore(options: ArtifactStoreOptions, run: RunOptions = {}): ArtifactStore {
  checkOptions(options, STORE_SCHEMA);
  const context = contextOf(run);
  const { log, progress, folder } = context;
  const api = openApi(options, context);
  const store: Store = { api, log, progress, folder, notes: options.notes ?? notesFolder(context) };
  return methodsWithoutSecrets({
    host: api.host,
    ...reading(store),
    ...writing(store),
    ...deploying(store),
  });
}

/** What the verbs share. */
interface Store extends NotesContext {
  /** Paths are relative to it. */
  folder: string;
}

async function find({ api }: Store, reference: string): Promise<Artifact> {
  checkArgument('reference', reference, text);
  return resolveArtifact(api, reference);
}

function reading(store: Store): Pick<ArtifactStore, 'list' | 'show' | 'head' | 'download'> {
  const { api, folder, log, progress } = store;
  return {
    list: async (query) => listArtifacts(api, checked(query, QUERY_SCHEMA)),
    show: (reference) => find(store, reference),
    head: async (reference) => askHead(api, await find(store, reference)),
    download: async (reference, path) => {
      checkArgument('path', path, text);
      return downloadArtifact(api, await find(store, reference), resolve(folder, path), { log, progress });
    },
  };
}

type WritingVerb = 'add' | 'addFrom' | 'finish' | 'describe' | 'replace' | 'replaceFrom' | 'delete' | 'prune';

function writing(store: Store): Pick<ArtifactStore, WritingVerb> {
  const { api } = store;
  return {
    add: async (request) => uploadWithNote(fileOf(store, request), store),
    addFrom: async (location, description) => uploadLocationWithNote(placeOf(location, description), store),
    finish: () => finishUploads(store),
    describe: async (reference, description) => {
      checkArgument('description', description, text);
      return changeDescription(api, (await find(store, reference)).id, description);
    },
    replace: async (reference, request) => {
      const file = fileOf(store, request);
      return replaceArtifact(await find(store, reference), file, store);
    },
    replaceFrom: async (reference, location, description) => {
      const place = placeOf(location, description);
      return replaceFromLocation(await find(store, reference), place, store);
    },
    delete: async (reference) => deleteArtifact(api, (await find(store, reference)).id),
    prune: async (request) => pruneArtifacts(api, checked(request, PRUNE_SCHEMA)),
  };
}

function deploying({ api, log }: Store): Pick<ArtifactStore, 'deploy' | 'watch'> {
  return {
    deploy: async (options) => deployArtifact(deployRequestOf(options), { api, log }),
    watch: async (options) => watchDeployment(watchRequestOf(options), { api, log }),
  };
}

/** The request with an absolute path. */
function fileOf({ folder }: Store, request: UploadRequest): UploadRequest {
  checkOptions(request, UPLOAD_SCHEMA);
  return { ...request, path: resolve(folder, request.path) };
}

function placeOf(location: string, description: string | undefined): LocationRequest {
  checkArgument('location', location, text);
  checkArgument('description', description, optional(text));
  return { location, description };
}

function checked<Options>(given: Options, schema: SchemaOf<NonNullable<Options>>): Options {
  checkOptions(given, schema);
  return given;
}

/** The API of a server. Throws UsageError for an invalid host or an empty token. */
export function openApi(
  { host = DEFAULT_HOST, token }: Pick<ArtifactStoreOptions, 'host' | 'token'>,
  { http, signal }: Context,
): Api {
  const address = parseServerHost(host);
  if (address === undefined)
    throw new UsageError(`host ${hideCredentials(host)}: expected an address like ${DEFAULT_HOST}`);
  checkArgument('token', token, text);
  const bearer = tokenFrom(token, `${address}: token`);
  if (bearer === undefined) throw new UsageError(`${address}: the token is empty`);
  return createApi({ http, host: address, authorization: `Bearer ${bearer}`, signal });
}
