import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { listen } from '../helpers/listen.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const page: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!DOCTYPE html><html>Welcome</html>');
};

/** A web server with a certificate of its own, as `HOST:PORT`. */
async function tlsServer(): Promise<string> {
  const folder = temporaryFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout';
  execFileSync('openssl', [...request.split(' '), key, '-out', cert], { stdio: 'ignore' });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, page);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const webServer = async (): Promise<string> => (await listen(page)).replace('http://', '');

describe('a host that is not what was said', () => {
  const SELF_SIGNED = /no trusted TLS connection: its certificate is signed by itself/;
  it.each<[string, () => Promise<string>, string, RegExp, RegExp]>([
    [
      'https to plain http',
      webServer,
      'releases list -h https://HOST',
      /the server does not speak TLS at this port/,
      /write http:\/\/ before a server/,
    ],
    [
      'http to TLS',
      tlsServer,
      'releases list -h http://HOST',
      /the server closed the connection/,
      /write https:\/\/ in place of http:\/\//,
    ],
    [
      'TLS with a certificate of its own',
      tlsServer,
      'releases list -h https://HOST',
      SELF_SIGNED,
      /add the authority to NODE_EXTRA_CA_CERTS/,
    ],
    [
      'TLS of a library',
      tlsServer,
      'library tags a/b/c --library https://HOST',
      SELF_SIGNED,
      /NODE_EXTRA_CA/,
    ],
    [
      'no Mender server',
      webServer,
      'releases list -h http://HOST',
      /expected JSON, found a web page/,
      /check --mender-host/,
    ],
    [
      'no Mender server for login',
      webServer,
      'login -h http://HOST --username a --password password-b',
      /expected a token from http:\S+, found a web page/,
      /check --mender-host/,
    ],
    [
      'no library',
      webServer,
      'library tags a/b/c --library http://HOST',
      /expected JSON, found a web page/,
      /address of the library/,
    ],
    [
      'no server of maps',
      webServer,
      'destinations resolve gateway --starmap-url http://HOST',
      /expected JSON, found a web page/,
      /check --starmap-url/,
    ],
    [
      'plain http for maps',
      webServer,
      'destinations resolve gateway --starmap-url https://HOST',
      /the server does not speak TLS at this port/,
      /check --starmap-url/,
    ],
  ])(
    '%s',
    async (_, start, line, message, advice) => {
      const words = line.replace('HOST', await start()).split(' ');
      const run = await runCli(words, { HOME: temporaryFolder(), MENDER_PAT: 'token-of-nobody' });
      expect([run.code, run.stdout]).toEqual([5, '']);
      const [error, hint] = run.stderr.split('\n').filter((text) => /^(error| {2}try):/.test(text));
      expect(error).toMatch(message);
      expect(hint).toMatch(advice);
    },
    30_000,
  );
});

const SERVICES = 'services: {web: {image: "web:1"}}\n';

describe('a misspelt key', () => {
  it.each([
    [
      'of x-mender',
      `x-mender: {devcie-type: q}\n${SERVICES}`,
      /unknown key "devcie-type"\n {2}try: did you mean device-type\?/,
    ],
    ['of a service', 'services: {web: {imgae: "web:1"}}\n', /does not know: imgae \(did you mean image\?\)/],
    [
      'of the Compose file',
      'servces: {web: {image: "web:1"}}\n',
      /does not know: servces \(did you mean services\?\)/,
    ],
  ])('%s', async (_, text, message) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'compose.yaml'), text);
    const run = await runCli(['plan', folder, '-t', 'q', '-p', 'linux/amd64', '--artifact-version', '1']);
    expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it.each([
    [
      'of a map',
      '- name: gateway\n  cluod: mender\n',
      /\[0\]\.cloud: expected a text, found nothing \(cluod: did you mean cloud\?\)/,
    ],
    ['of another thing', '- name: gateway\n  other: 1\n', /\[0\]\.cloud: expected a text, found nothing\n/],
  ])('%s', async (_, text, message) => {
    const path = join(temporaryFolder(), 'map.yaml');
    writeFileSync(path, text);
    const run = await runCli(['destinations', 'lint', path]);
    expect([run.code, run.stdout + run.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('of a server in the configuration', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, '.config/mender-docker-delta'), { recursive: true });
    writeFileSync(join(home, '.config/mender-docker-delta/config.yaml'), 'servers: {lab: {hots: x}}\n');
    const run = await runCli(['config', 'show'], { HOME: home });
    expect(run.stderr).toContain(
      'servers.lab.host: expected a text, found nothing (hots: did you mean host?)',
    );
  });
});

it.each([
  [
    'a folder',
    'folder',
    /expected a regular file, found a folder\n {2}try: name a file in it with -a, like .*folder\/app/,
  ],
  ['a path below a file', 'compose.yaml/x.mender', /a part of the path is a file/],
  ['a device', '/dev/null', /expected a regular file or none, found a device or named pipe/],
])('-a names %s', async (_, name, message) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'compose.yaml'), SERVICES);
  mkdirSync(join(folder, 'folder'));
  const archive = join(folder, 'web.tar');
  writeOciArchive(archive, { 'web:1': buildImage({ layers: [{ a: 'b' }] }) });
  const words = ['build', folder, '-f', `web=${archive}`, '-t', 'q', '-p', 'linux/amd64', '--no-upload'];
  const output = name.startsWith('/') ? name : join(folder, name);
  const run = await runCli([...words, '--artifact-version', '1', '-a', output], { HOME: folder });
  expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
});

describe('an action refuses what it does not read', () => {
  it.each([
    ['artifacts prune shop --restrict-major 2 --device-type q', '--device-type is for list'],
    ['artifacts list --dry-run', '--dry-run is for delete or prune'],
    ['artifacts list shop', 'unexpected word "shop"'],
    ['artifacts list --query name=shop --name shop', '--query does not go with --name'],
    ['artifacts show shop --account a', '--account is for prune'],
    ['cache list --limit-size 1G', '--limit-size is for prune'],
    ['deployments list --wait-timeout 1h', '--wait-timeout is for watch'],
    ['devices show 5d1f -g staging', '--device-group is for list'],
    ['releases list --clear', '--clear is for tag'],
    ['library push a b -o c', '--output is for pull'],
    ['destinations lint map.yaml --version 1', '--version is for snapshot'],
  ])('%s', async (line, message) => {
    const run = await runCli(line.split(' '), { MENDER_PAT: 'token', HOME: temporaryFolder() });
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain(message);
  });
});
