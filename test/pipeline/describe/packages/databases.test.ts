import { describe, expect, it } from 'vitest';
import { databaseAt } from '../../../../src/pipeline/describe/packages/databases.ts';
import type { Package } from '../../../../src/pipeline/describe/packages/package.ts';
import { packageUrlOf } from '../../../../src/pipeline/describe/packages/package.ts';

const read = (path: string, text: string): unknown => databaseAt(path)?.read(text);
const DPKG = `Package: libc6
Status: install ok installed
Architecture: amd64
Description: GNU C Library
 Package: this is a description
Version: 2.36-9+deb12u9

Package: removed
Status: deinstall ok config-files
Version: 1

Package: no-version
Status: install ok installed
`;

describe('a file that names packages', () => {
  it.each<[string, string, string, unknown]>([
    [
      'the status of dpkg',
      'var/lib/dpkg/status',
      DPKG,
      [{ type: 'deb', name: 'libc6', version: '2.36-9+deb12u9', architecture: 'amd64' }],
    ],
    [
      'a status without dpkg',
      'var/lib/dpkg/status.d/tzdata',
      'Package: tzdata\nVersion: 2024a-0\n',
      [{ type: 'deb', name: 'tzdata', version: '2024a-0' }],
    ],
    [
      'the database of apk',
      'lib/apk/db/installed',
      'C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\nF:lib\n\nP:zlib\nV:1.3.1-r1\n\n',
      [
        { type: 'apk', name: 'musl', version: '1.2.5-r0', architecture: 'x86_64' },
        { type: 'apk', name: 'zlib', version: '1.3.1-r1' },
      ],
    ],
    ['its new place', 'usr/lib/apk/db/installed', 'P:a\nV:1\n', [{ type: 'apk', name: 'a', version: '1' }]],
    [
      'a package of npm',
      'app/node_modules/@scope/left-pad/package.json',
      '{"name":"@scope/left-pad","version":"1.3.0"}',
      [{ type: 'npm', name: '@scope/left-pad', version: '1.3.0' }],
    ],
    [
      'a wheel',
      'usr/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA',
      'Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\n\nName: of-the-description\nVersion: 9\n',
      [{ type: 'pypi', name: 'requests', version: '2.31.0' }],
    ],
    [
      'an egg',
      'x/six.egg-info/PKG-INFO',
      'Name: six\nVersion: 1.16\n',
      [{ type: 'pypi', name: 'six', version: '1.16' }],
    ],
    ['JSON that is none', 'node_modules/a/package.json', '{', []],
    ['JSON null', 'node_modules/a/package.json', 'null', []],
    ['a package.json without a version', 'node_modules/a/package.json', '{"name":"a","version":1}', []],
    [
      'a name with a line of a terminal',
      'node_modules/a/package.json',
      '{"name":"a\\u001b[2J","version":"1"}',
      [],
    ],
    ['a name without end', 'lib/apk/db/installed', `P:${'a'.repeat(300)}\nV:1\n`, []],
    ['nothing', 'var/lib/dpkg/status', '', []],
    ['only line ends', 'var/lib/dpkg/status', '\n'.repeat(8 << 20), []],
  ])('%s', (_name, path, text, packages) => {
    expect(read(path, text)).toEqual({ packages });
  });

  it.each<[string, unknown]>([
    ['PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n', { id: 'debian', version: '12' }],
    ["ID='alpine'\n", { id: 'alpine' }],
    ['NAME=x\n', undefined],
  ])('os-release %j', (text, distribution) => {
    expect(read('etc/os-release', text)).toEqual(distribution === undefined ? {} : { distribution });
  });

  it.each([
    'var/lib/dpkg/status-old',
    'var/lib/dpkg/status.d/tzdata.md5sums',
    'root/var/lib/dpkg/status',
    'app/package.json',
    'node_modules/a/lib/package.json',
    'METADATA',
  ])('%s is none', (path) => {
    expect(databaseAt(path)).toBeUndefined();
  });
});

describe('a package URL', () => {
  it.each<[Package, { id: string; version?: string } | undefined, string]>([
    [
      { type: 'deb', name: 'libstdc++6', version: '12.2.0-14', architecture: 'amd64' },
      { id: 'debian', version: '12' },
      'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12',
    ],
    [{ type: 'deb', name: 'a', version: '1:2.0' }, undefined, 'pkg:deb/debian/a@1%3A2.0'],
    [{ type: 'apk', name: 'musl', version: '1' }, { id: 'wolfi' }, 'pkg:apk/wolfi/musl@1?distro=wolfi'],
    [{ type: 'npm', name: '@s/a', version: '1.0.0' }, undefined, 'pkg:npm/%40s/a@1.0.0'],
    [
      { type: 'pypi', name: 'Zope.Interface_x', version: '5' },
      { id: 'debian' },
      'pkg:pypi/zope-interface-x@5',
    ],
  ])('of %j', (found, distribution, url) => {
    expect(packageUrlOf(found, distribution)).toBe(url);
  });
});
