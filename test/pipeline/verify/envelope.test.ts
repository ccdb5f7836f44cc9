import { describe, expect, it } from 'vitest';
import { stateScripts } from '../../../src/mender/onDevice/stateScript.ts';
import type { ArtifactReport, LayerReport } from '../../../src/mender/read/report.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { envelopeProblems, moduleOf } from '../../../src/pipeline/verify/envelope.ts';
import { manifestProblems } from '../../../src/pipeline/verify/manifest.ts';

const layers: LayerReport[] = [{ diffID: digestOf('layer'), kind: 'delta', sent: 1, from: digestOf('base') }];
const SCRIPTS = stateScripts().map(({ name, content }) => ({
  ...{ path: `scripts/${name}`, size: content.length },
  sha256: digestOf(content).slice('sha256:'.length),
}));
const COMPOSE_KEY = 'rootfs-image.mender-docker-compose.shop.version';
const APP_KEY = 'rootfs-image.shop.version';

const compose: ArtifactReport = {
  ...{
    size: 1,
    artifactName: 'shop-2',
    deviceTypes: ['qemu'],
    dependsOnArtifactNames: [],
    dependsOnGroups: [],
  },
  ...{ module: 'docker-compose', typeInfoType: 'docker-compose', compression: 'none', signature: 'none' },
  depends: { [COMPOSE_KEY]: '1' },
  provides: { [COMPOSE_KEY]: '2' },
  clears: ['rootfs-image.mender-docker-compose.*'],
  metaData: { version: '1', project_name: 'shop' },
  scripts: SCRIPTS,
  files: ['images.tar.gz', 'manifests.tar'].map((path) => ({ path, size: 1, sha256: '' })),
  images: [{ folder: 'i', image: 'web:2', layers }],
  manifests: [{ path: 'docker-compose.yaml', size: 1 }],
  ...{ oddEntries: [], decoder: null, decoderSize: 0 },
};
const app: ArtifactReport = {
  ...compose,
  ...{ module: 'app', typeInfoType: 'app', scripts: [], metaData: { application_name: 'shop' } },
  ...{ depends: { [APP_KEY]: '1' }, provides: { [APP_KEY]: '2' }, clears: ['rootfs-image.shop.*'] },
  files: ['images.tar.gz', 'manifests.tar.gz'].map((path) => ({ path, size: 1, sha256: '' })),
};
const file = (path: string): ArtifactReport['files'][number] => ({ path, size: 1, sha256: '' });

describe('the envelope of an artifact', () => {
  it.each([
    ['a delta for docker-compose', compose],
    [
      'a full one for docker-compose',
      { ...compose, scripts: [], depends: {}, images: [{ folder: 'i', layers: [] }] },
    ],
    [
      'a full one for docker-compose that is loaded before the application stops',
      { ...compose, depends: {}, images: [{ folder: 'i', layers: [] }] },
    ],
    ['a delta for app', app],
    [
      'further keys of the same software',
      { ...app, provides: { ...app.provides, 'rootfs-image.shop.x': '1' } },
    ],
  ])('is good: %s', (_, report) => {
    expect(envelopeProblems(report, moduleOf(report, 'a.mender'))).toEqual([]);
  });

  it.each<[string, Partial<ArtifactReport>, string]>([
    ['another module in type-info', { typeInfoType: 'script' }, 'its type-info is for update module script'],
    ['no state scripts', { scripts: [] }, 'ArtifactInstall_Enter_00_mender-docker-delta is missing'],
    [
      'one state script',
      { scripts: SCRIPTS.slice(0, 1) },
      'ArtifactInstall_Enter_00_mender-docker-delta is missing',
    ],
    ['a changed state script', { scripts: SCRIPTS.map((one) => ({ ...one, sha256: '0' })) }, 'is foreign'],
    [
      'another state script',
      { scripts: [...SCRIPTS, { path: 'scripts/Download_Leave_99_x', size: 1, sha256: '0' }] },
      'Download_Leave_99_x is foreign',
    ],
    ['state scripts for a module without any', { ...app, scripts: SCRIPTS }, 'is foreign'],
    ['some state scripts of a full one', { images: [], scripts: SCRIPTS.slice(1) }, 'is missing'],
    [
      'a further payload file',
      { files: [...compose.files, file('evil.sh')] },
      'the payload has the file evil.sh',
    ],
    ['no images', { files: [file('manifests.tar')] }, 'the payload lacks images.tar.gz'],
    ['no manifests', { files: [file('images.tar.gz')] }, 'the payload lacks manifests.tar'],
    ["the other module's manifests", { files: app.files }, 'the payload lacks manifests.tar'],
    [
      'a device',
      { oddEntries: [{ file: 'manifests.tar', path: 'sda', kind: 'special' }] },
      'sda is a device',
    ],
    ['a link', { oddEntries: [{ file: 'manifests.tar', path: 'l', kind: 'link' }] }, 'l is a link'],
    [
      'two entries',
      { oddEntries: [{ file: 'manifests.tar', path: 't', kind: 'twice' }] },
      't is there twice',
    ],
    ['clears of everything', { clears: ['*'] }, 'it clears *, which'],
    ['clears of the whole file system', { clears: ['rootfs-image.*'] }, 'it clears rootfs-image.*, which'],
    [
      'clears in the middle',
      { clears: ['rootfs-image.*.version'] },
      'it clears rootfs-image.*.version, which',
    ],
    ['clears of nothing', { clears: [] }, 'it does not clear'],
    ['clears of another software', { clears: ['rootfs-image.other.*'] }, 'it does not clear'],
    ['no version', { provides: {} }, 'it does not provide the version of shop'],
    ['the version of another software', { provides: { [APP_KEY]: '2' } }, 'it does not provide the version'],
    [
      'depends on another software',
      { depends: { 'rootfs-image.other.version': '1' } },
      'it depends on rootfs-image.other.version, which is not the version of shop',
    ],
    [
      'depends on another software as well',
      { depends: { ...compose.depends, 'rootfs-image.other.version': '1' } },
      'it depends on rootfs-image.other.version',
    ],
    [
      'the version of another software as well',
      { provides: { ...compose.provides, 'rootfs-image.version': '2' } },
      'it provides rootfs-image.version, which is not of shop',
    ],
    [
      'the name of another artifact',
      { provides: { ...compose.provides, artifact_name: 'x' } },
      'it provides artifact_name',
    ],
    [
      'clears of another software as well',
      { clears: [...compose.clears, 'rootfs-image.other.*'] },
      'it clears rootfs-image.other.*, which',
    ],
    [
      'clears of one key of another software',
      { clears: [...compose.clears, 'rootfs-image.checksum'] },
      'it clears rootfs-image.checksum, which',
    ],
    [
      'clears with a star in the middle',
      { clears: [...compose.clears, 'rootfs-image.mender-docker-compose.shop.*.x'] },
      'it clears rootfs-image.mender-docker-compose.shop.*.x, which',
    ],
    ['a name of two lines', { artifactName: 'a\nb' }, 'its name has control characters'],
    ['no device type', { deviceTypes: [] }, 'it is for no device type'],
    ['a group', { dependsOnGroups: ['x'] }, 'it is for the artifact group x'],
    [
      'a full one after another artifact',
      { depends: {}, images: [], dependsOnArtifactNames: ['x'] },
      'it is full, and depends on the artifact x',
    ],
    [
      'a file and a folder',
      { oddEntries: [{ file: 'manifests.tar', path: 'x', kind: 'both' }] },
      'x is a file and a folder',
    ],
    [
      'a file of nobody',
      { oddEntries: [{ file: 'images.tar.gz', path: 'x', kind: 'stray' }] },
      'x is a file that nothing refers to',
    ],
    [
      'an empty device type',
      { deviceTypes: ['qemu', ''] },
      'it is for the device type "", which no device has',
    ],
    ['a device type of two lines', { deviceTypes: ['a\nb'] }, 'it is for the device type "a\\nb"'],
    ['a version of two lines', { provides: { [COMPOSE_KEY]: '2\n3' } }, 'has control characters'],
    [
      'a key of two lines',
      { provides: { ...compose.provides, [`${COMPOSE_KEY}\n`]: '2' } },
      'has control characters',
    ],
    ['depends on two lines', { depends: { [COMPOSE_KEY]: ['1', '1\n2'] } }, 'has control characters'],
    ['depends on no version', { depends: { [COMPOSE_KEY]: [] } }, 'it depends on no value of'],
    ['depends on an empty version', { depends: { [COMPOSE_KEY]: '' } }, 'it depends on no value of'],
    [
      'a full one after another version',
      { images: [] },
      'it is full, and depends on rootfs-image.mender-docker-compose.shop.version=1',
    ],
    ['no project', { metaData: {} }, 'its meta-data names no application'],
  ])('is not good: %s', (_, change, problem) => {
    expect(envelopeProblems({ ...compose, ...change }, 'docker-compose').join('\n')).toContain(problem);
  });

  it.each(['script', 'single-file', 'rootfs-image', 'constructor', ''])(
    'is not for update module %j',
    (module) => {
      expect(() => moduleOf({ module }, 'a.mender')).toThrow(
        `verifying a.mender: it is for update module ${module}, and verify checks only artifacts for app and docker-compose`,
      );
    },
  );
});

describe('the files that Compose on a device reads', () => {
  const main = ['docker-compose.yaml', Buffer.from('services:\n  web:\n    image: web:2\n')] as const;
  const image = {
    report: { folder: 'i', image: 'web:2', layers },
    documents: new Map(),
    layers: new Map(),
  };

  it.each<[string, [string, string][], string[]]>([
    ['the Compose file alone', [], []],
    ['variables of the application', [['.env', 'A=1\nNOT_COMPOSE_FILE=x']], []],
    ['an override', [['docker-compose.override.yaml', '']], ['docker-compose.override.yaml would change']],
    ['a newer override', [['compose.override.yml', '']], ['compose.override.yml would change']],
    ['other Compose files', [['.env', 'A=1\nCOMPOSE_FILE=evil.yaml']], ['.env sets COMPOSE_FILE']],
    ['profiles', [['.env', ' export COMPOSE_PROFILES = x']], ['.env sets COMPOSE_PROFILES']],
    ['a second variable of a line', [['.env', "A='x' COMPOSE_FILE=evil.yaml"]], ['.env sets COMPOSE_FILE']],
    [
      'another daemon and platform',
      [['.env', 'DOCKER_HOST=tcp://h\nDOCKER_DEFAULT_PLATFORM=x\nDOCKER_TAG=1\nCOMPOSE_DOMAIN=x']],
      ['.env sets DOCKER_HOST', '.env sets DOCKER_DEFAULT_PLATFORM'],
    ],
    ['a broken .env', [['.env', '=x']], ['.env:1: expected NAME=VALUE']],
  ])('are checked: %s', (_, more, problems) => {
    const composeFiles = new Map([main, ...more.map(([name, text]) => [name, Buffer.from(text)] as const)]);
    const found = manifestProblems({
      path: '',
      report: compose,
      images: [image],
      composeFiles,
      smallFiles: new Map(),
      tooLarge: [],
    });
    expect(
      found.filter((line) => line.startsWith('manifests/')).map((line) => line.slice('manifests/'.length)),
    ).toEqual(problems.map((problem) => expect.stringContaining(problem) as string));
  });

  it.each<[string, string, string | undefined]>([
    ['is as the build writes it', '', undefined],
    ['includes another file', '\ninclude: [evil.yaml]', 'it includes other files'],
    ['has a second document', '\n---\nservices: {web: {image: "evil:1"}}', 'has several documents'],
    ['has an unknown key', '\n    imagee: x', 'imagee'],
    [
      'extends another file',
      '\n    extends: {file: evil.yaml, service: e}',
      'web.extends is not for a device',
    ],
    ['builds its image', '\n    build: https://example.com/evil.git', 'web.build is not for a device'],
    ['has a profile', '\n    profiles: [never]', 'web.profiles is not for a device'],
    ['pulls its image', '\n    pull_policy: always', 'web.pull_policy asks a registry'],
    ['has its image', '\n    pull_policy: never', undefined],
    [
      'mounts an image',
      '\n    volumes: [{type: image, source: "evil:1", target: /x}]',
      'web mounts the image evil:1',
    ],
    ['asks for a variable', '\n    user: "${WHO:?}"', 'WHO'],
    ['has a tab', '\n\tuser: x', 'invalid YAML'],
    ['has a key twice', '\n    user: x\n    user: y', 'user is there twice'],
  ])('are one Compose file that %s', (_, more, problem) => {
    const composeFiles = new Map([
      ['docker-compose.yaml', Buffer.from(`services:\n  web:\n    image: web:2${more}\n`)],
    ]);
    const found = manifestProblems({
      path: '',
      report: compose,
      images: [image],
      composeFiles,
      smallFiles: new Map(),
      tooLarge: [],
    });
    const expected = problem === undefined ? [] : [expect.stringContaining(problem) as string];
    expect(found).toEqual(expected);
  });

  it.each([
    ['flow style', 'services: {web: {image: "web:2"}}'],
    ['quotes', 'services:\n  web:\n    image: "web:2"'],
  ])('show the update module every image: %s', (_, text) => {
    const composeFiles = new Map([['docker-compose.yaml', Buffer.from(text)]]);
    expect(
      manifestProblems({
        path: '',
        report: compose,
        images: [image],
        composeFiles,
        smallFiles: new Map(),
        tooLarge: [],
      }),
    ).toEqual([
      'manifests/docker-compose.yaml: the image of web is not on a line of its own: it would stay for ever',
    ]);
  });

  it('are filled in with the name that the update module gives the project', () => {
    const text = 'services:\n  web:\n    image: web:2\n    container_name: "${COMPOSE_PROJECT_NAME:?}-x"\n';
    const composeFiles = new Map([['docker-compose.yaml', Buffer.from(text)]]);
    expect(
      manifestProblems({
        path: '',
        report: compose,
        images: [image],
        composeFiles,
        smallFiles: new Map(),
        tooLarge: [],
      }),
    ).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['conf/a.txt', []],
    ['conf/b/c', []],
    ['one.env', []],
    ['.env', []],
    ['conf2/a', ['manifests/conf2/a is a file that nothing refers to']],
    ['evil.sh', ['manifests/evil.sh is a file that nothing refers to']],
    [
      'docker-compose.override.yaml/x',
      ['manifests/docker-compose.override.yaml/x is a file that nothing refers to'],
    ],
  ])('are the files that the Compose file refers to: %s', (path, problems) => {
    const more = '    env_file: ./one.env\n    volumes: ["./conf/:/etc/conf"]\n';
    const composeFiles = new Map([
      ['docker-compose.yaml', Buffer.from(`services:\n  web:\n    image: web:2\n${more}`)],
    ]);
    const report = {
      ...compose,
      manifests: [...compose.manifests, { path: 'one.env', size: 1 }, { path, size: 1 }],
    };
    expect(
      manifestProblems({
        path: '',
        report,
        images: [image],
        composeFiles,
        smallFiles: new Map(),
        tooLarge: [],
      }),
    ).toEqual(problems);
  });
});
