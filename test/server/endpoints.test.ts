import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deployArtifact } from '../../src/pipeline/release/deploy.ts';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import {
  deleteArtifact,
  changeDescription,
  getArtifact,
  listArtifacts,
  readStorage,
} from '../../src/server/artifacts.ts';
import { readStatistics } from '../../src/server/deployments.ts';
import { downloadArtifact } from '../../src/server/download.ts';
import { setReleaseTags } from '../../src/server/releases.ts';
import { vectors } from '../library/vectors.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { contextOf } from './fixture.ts';

interface Endpoint {
  op: string;
  method: string;
  path: string;
}

const { endpoints } = vectors('mender-endpoints') as { endpoints: Endpoint[] };

/**
 * Not called: what the server calls deprecated, and what would delete more than the one artifact
 * that was named.
 */
const NOT_CALLED = new Set(['list v1', 'delete releases by name']);
/** Goes to the storage, which refuses it with an Authorization header. */
const TO_STORAGE = new Set(['direct upload: bytes']);

/** A server with an artifact, app-1, for two devices. */
async function prepared() {
  const devices = ['d1', 'd2'].map((id) => ({ id, type: 'qemu', group: 'staging', provides: {} }));
  const server = await menderServer({ directUpload: true, devices });
  const context = contextOf(server);
  const { id } = await uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, context);
  server.calls.length = 0;
  return { server, context, api: context.api, id };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

const direct = ({ context }: Prepared) =>
  uploadArtifact({ path: makeArtifact({ name: 'app-2' }), direct: true }, context);

const deploy = (
  { context }: Prepared,
  target: { kind: 'group'; group: string } | { kind: 'devices'; devices: string[] },
) => deployArtifact({ name: 'app-1', artifactName: 'app-1', force: false, target }, context);

const CALLS: Record<string, (prepared: Prepared) => Promise<unknown>> = {
  upload: ({ context }) => uploadArtifact({ path: makeArtifact({ name: 'app-2' }) }, context),
  'direct upload: request': direct,
  'direct upload: bytes': direct,
  'direct upload: complete': direct,
  'list v2': ({ api }) => listArtifacts(api, { names: ['app-1'] }),
  show: ({ api, id }) => getArtifact(api, id),
  'update description': ({ api, id }) => changeDescription(api, id, 'new'),
  delete: ({ api, id }) => deleteArtifact(api, id),
  'download link': async ({ api, context, id }) =>
    downloadArtifact(api, await getArtifact(api, id), join(temporaryFolder(), 'file'), context),
  storage: ({ api }) => readStorage(api),
  'release tags': ({ api }) => setReleaseTags(api, 'app-1', ['stable']),
  'deploy to group': (all) => deploy(all, { kind: 'group', group: 'staging' }),
  deploy: (all) => deploy(all, { kind: 'devices', devices: ['d1'] }),
  statistics: async (all) => {
    const { id } = await deploy(all, { kind: 'devices', devices: ['d1'] });
    return readStatistics(all.api, id);
  },
};

describe('an endpoint of the server', () => {
  test.each(endpoints.filter(({ op }) => !NOT_CALLED.has(op) && !TO_STORAGE.has(op)))(
    '$op: $method $path',
    async ({ op, method, path }) => {
      const all = await prepared();
      await CALLS[op]!(all);
      const pattern = path.replace(/\{\w+\}/g, '[^/]+');
      expect(all.server.calls).toContainEqual(expect.stringMatching(new RegExp(`^${method} ${pattern}$`)));
      expect(all.server.violations).toEqual([]);
    },
  );

  test.each(endpoints.filter(({ op }) => TO_STORAGE.has(op)))('$op: $method', async ({ op }) => {
    const all = await prepared();
    await CALLS[op]!(all);
    expect([...all.server.state.artifacts.values()].map(({ name }) => name)).toContain('app-2');
    expect(all.server.violations).toEqual([]);
  });

  test.each(endpoints.filter(({ op }) => NOT_CALLED.has(op)))(
    '$op is not called',
    async ({ method, path }) => {
      const all = await prepared();
      for (const call of Object.values(CALLS)) await call(all).catch(() => undefined);
      expect(all.server.calls).not.toContain(`${method} ${path}`);
    },
  );
});
