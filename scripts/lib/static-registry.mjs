// A read-only registry on loopback that serves images from memory and files, by the OCI
// distribution specification:
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';

/**
 * Serves `blobs` (digest -> {size, file | content}) and `manifests` (`name:tag` or `name@digest` ->
 * {type, content, digest}).
 */
export async function serveImages({ blobs, manifests }) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const [, name, kind, key] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
    if (pathname === '/v2/') return void response.end('{}');
    const found =
      kind === 'blobs'
        ? blobs.get(key)
        : manifests.get(key?.startsWith('sha256:') ? `${name}@${key}` : `${name}:${key}`);
    if (!found) return void response.writeHead(404).end('{"errors":[{"code":"NOT_FOUND"}]}');
    response.writeHead(200, {
      'Content-Type': found.type ?? 'application/octet-stream',
      'Content-Length': found.size ?? found.content.length,
      'Docker-Content-Digest': found.digest ?? key,
    });
    if (request.method === 'HEAD') response.end();
    else if (found.file) createReadStream(found.file).pipe(response);
    else response.end(found.content);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: `127.0.0.1:${server.address().port}`, close: () => server.close() };
}
