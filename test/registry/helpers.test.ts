import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../helpers/temporary.ts';
import { buildImage, buildIndex, skopeoCopy, writeLayout, writeOciArchive } from '../helpers/images.ts';
import { REGISTRY_LOGIN, push, startRegistry } from '../helpers/registry.ts';

const image = buildImage({
  layers: [
    { 'etc/name': 'base' },
    { files: { 'app/': '', 'app/run': 'x'.repeat(5000) }, compression: 'zstd' },
  ],
});

test('what the helpers build is what skopeo and docker-registry know', async () => {
  const registry = await startRegistry({ auth: true });
  onTestFinished(() => registry.stop());
  const folder = temporaryFolder();
  const index = buildIndex([image], { attestation: buildImage({ layers: [{ a: 'b' }] }) });
  await push(registry.host, 'team/app', '1', buildIndex([index]));
  await push(registry.host, 'team/app', 'docker', buildImage({ docker: true, layers: [{ a: 'b' }] }));
  writeLayout(`${folder}/layout`, { '1': image });
  // skopeo makes no docker-archive of zstd layers.
  writeOciArchive(`${folder}/app.tar`, { '1': buildImage({ layers: [{ a: 'b' }] }) });
  const { username, password } = REGISTRY_LOGIN;
  const login = `${username}:${password}`;
  skopeoCopy(`oci:${folder}/layout:1`, `docker://${registry.host}/team/app:2`, '--dest-creds', login);
  skopeoCopy(`oci-archive:${folder}/app.tar`, `docker-archive:${folder}/docker.tar:app:1`);
  const args = [
    'inspect',
    '--tls-verify=false',
    '--creds',
    login,
    '--raw',
    `docker://${registry.host}/team/app:2`,
  ];
  expect(JSON.parse(execFileSync('skopeo', args).toString())).toMatchObject({
    config: { digest: image.configDigest },
  });
});
