import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { portableFiles, portableManifestDigest } from '../../src/oci/portable.ts';
import { parseReference } from '../../src/oci/reference.ts';

const config = Buffer.from('{"os":"linux"}');
const diffID = digestOf('layer');
const image = {
  name: parseReference('team/app:1'),
  platform: { os: 'linux', architecture: 'arm64' },
  config,
  layers: [{ diffID, size: 5 }],
};

describe('portableFiles', () => {
  const files = new Map(portableFiles(image).map(({ path, content }) => [path, Buffer.from(content)]));
  const json = (path: string): unknown => JSON.parse(files.get(path)!.toString());

  it('names every layer by its diffID in both manifests', () => {
    const manifestPath = `blobs/sha256/${portableManifestDigest(image).slice(7)}`;
    expect(json(manifestPath)).toMatchObject({
      layers: [{ digest: diffID, size: 5 }],
      config: { digest: digestOf(config) },
    });
    expect(json('manifest.json')).toEqual([
      {
        Config: `blobs/sha256/${digestOf(config).slice(7)}`,
        RepoTags: ['team/app:1'],
        Layers: [`blobs/sha256/${diffID.slice(7)}`],
      },
    ]);
  });

  it('gives the image one name for both image stores', () => {
    expect(json('index.json')).toMatchObject({
      manifests: [
        {
          digest: portableManifestDigest(image),
          annotations: {
            'io.containerd.image.name': 'docker.io/team/app:1',
            'org.opencontainers.image.ref.name': '1',
          },
        },
      ],
    });
  });

  it('stores every blob under its digest', () => {
    for (const [path, content] of files) {
      if (path.startsWith('blobs/')) expect(path).toBe(`blobs/sha256/${digestOf(content).slice(7)}`);
    }
    expect(files.get(`blobs/sha256/${digestOf(config).slice(7)}`)).toEqual(config);
    expect(json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
  });
});
