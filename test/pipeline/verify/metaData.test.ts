import { describe, expect, onTestFinished, test } from 'vitest';
import { forgetSecrets, registerSecret } from '../../../src/io/redact.ts';
import type { ArtifactReport } from '../../../src/mender/read/report.ts';
import type { RecordedImage } from '../../../src/mender/record.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { metaDataProblems } from '../../../src/pipeline/verify/metaData.ts';

const LAYERS = [digestOf('one'), digestOf('two')];
const WEB: RecordedImage = {
  ...{ services: ['web'], ref: 'web:2', configDigest: digestOf('config'), diffIDs: LAYERS },
};
const COMPOSE = { version: '1', project_name: 'shop' };
const APP = {
  ...{ application_name: 'shop', orchestrator: 'docker-compose', platform: 'linux/arm/v7' },
  ...{ version: '2', images: ['i'] },
};

/** What verify says of an artifact with this meta-data, and perhaps a record of its images. */
function problemsOf(
  module: 'app' | 'docker-compose',
  metaData: Record<string, unknown>,
  record?: ArtifactReport['record'],
): string[] {
  const layers = LAYERS.map((diffID) => ({ diffID, kind: 'full' as const, sent: 1 }));
  const web = {
    ...{ folder: 'i', image: 'web:2', configDigest: WEB.configDigest },
    platform: 'linux/arm/v6',
  };
  const report = {
    ...{ module, metaData, provides: { 'rootfs-image.shop.version': '2' }, images: [{ ...web, layers }] },
    ...(record === undefined ? {} : { record }),
  };
  return metaDataProblems(report as unknown as ArtifactReport, module);
}

describe('the meta-data', () => {
  test.each([
    ['docker-compose', COMPOSE],
    ['app', APP],
  ] as const)('is right for %s', (module, metaData) => {
    expect(problemsOf(module, metaData)).toEqual([]);
  });

  test.each<['app' | 'docker-compose', Record<string, unknown>, string]>([
    ['docker-compose', { ...COMPOSE, version: '2' }, 'its meta-data has the version "2", expected "1"'],
    ['docker-compose', { ...COMPOSE, version: 1 }, 'its meta-data has the version 1, expected "1"'],
    ['docker-compose', { project_name: 'shop' }, 'its meta-data has the version nothing, expected "1"'],
    ['docker-compose', { ...COMPOSE, env: 'x' }, 'its meta-data has the key "env"'],
    ['docker-compose', { ...COMPOSE, Version: '1' }, 'its meta-data has the key "Version"'],
    ['docker-compose', { ...COMPOSE, images: ['i'] }, 'its meta-data has the key "images"'],
    ...['A B', '-x', '..', 'a/b', 'UP', 'a\nb', ' a', 'ä'].map(
      (name): ['docker-compose', Record<string, unknown>, string] => [
        'docker-compose',
        { ...COMPOSE, project_name: name },
        `its meta-data names the application ${JSON.stringify(name)}, which Compose refuses`,
      ],
    ),
    ['app', { ...APP, application_name: '../x' }, 'its meta-data names the application "../x"'],
    ['app', { ...APP, orchestrator: 'k8s' }, 'the orchestrator "k8s", expected "docker-compose"'],
    ['app', { ...APP, orchestrator: '../../../tmp/x' }, 'the orchestrator "../../../tmp/x"'],
    ['app', { ...APP, orchestrator: undefined }, 'the orchestrator nothing'],
    ['app', { ...APP, version: '99' }, 'the version "99", expected "2"'],
    ['app', { ...APP, platform: 'linux/s390x' }, 'the platform "linux/s390x", and web:2 for "linux/arm/v6"'],
    ['app', { ...APP, platform: undefined }, 'the platform nothing, and web:2'],
    ['app', { ...APP, project_name: 'shop' }, 'its meta-data has the key "project_name"'],
    ['app', { ...APP, mender_docker_delta: '{' }, 'the record of its images in the meta-data is damaged'],
  ])('is wrong for %s: %j', (module, metaData, problem) => {
    expect(problemsOf(module, metaData).join('\n')).toContain(problem);
  });
});

test('a secret in the meta-data is hidden before the message is cut', () => {
  const secret = 'horse-battery-staple';
  onTestFinished(forgetSecrets);
  registerSecret(secret);
  const [problem] = problemsOf('docker-compose', { ...COMPOSE, version: 'x'.repeat(190) + secret });
  expect(problem).toMatch(/ "x{190}\*\*\*", expected "1"$/);
});

describe('the record of the images', () => {
  const platform = 'linux/arm/v7';

  test.each<[string, RecordedImage[]]>([
    ['the image', [WEB]],
    ['an image that several services run', [{ ...WEB, services: ['web', 'worker'] }]],
    ['an image that was found under another name', [{ ...WEB, found: 'x:1' }]],
  ])('is right with %s', (_, images) => {
    expect(problemsOf('app', { ...APP, mender_docker_delta: '' }, { platform, images })).toEqual([]);
  });

  test.each<[string, RecordedImage[], string]>([
    ['nothing', [], 'its record lacks the image web:2'],
    ['another name', [{ ...WEB, ref: 'web:3' }], 'its record has the image web:3'],
    ['another config', [{ ...WEB, configDigest: digestOf('x') }], 'its record lacks the image web:2'],
    ['other layers', [{ ...WEB, diffIDs: LAYERS.toReversed() }], 'its record lacks the image web:2'],
    ['a further image', [WEB, { ...WEB, ref: 'more:1' }], 'its record has the image more:1'],
  ])('is wrong with %s', (_, images, problem) => {
    expect(problemsOf('docker-compose', COMPOSE, { platform, images }).join('\n')).toContain(problem);
  });

  test.each([
    ['docker-compose', COMPOSE, 'linux/amd64', 'it is for the platform "linux/amd64", and web:2 for'],
    ['app', APP, 'linux/arm/v6', 'the platform "linux/arm/v7", expected "linux/arm/v6"'],
  ] as const)('is wrong for %s with another platform', (module, metaData, other, problem) => {
    const record = { platform: other, images: [WEB] };
    expect(problemsOf(module, metaData, record).join('\n')).toContain(problem);
  });
});
