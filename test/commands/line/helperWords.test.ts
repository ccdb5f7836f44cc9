import { describe, expect, it } from 'vitest';
import { translateHelperWords } from '../../../src/commands/line/helperWords.ts';
import { openCache } from '../../../src/cache/cache.ts';
import { silentLog } from '../../../src/io/log.ts';
import { noProgress } from '../../../src/io/progress.ts';
import { runCli } from '../../helpers/cli.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const translated = (line: string) => {
  const { words, notes } = translateHelperWords(line.split(' '), (path) => path === 'compose.yaml');
  return [words.join(' '), notes.length];
};

describe('words of mender-docker-lifecycle-helper', () => {
  it.each<[string, string, number]>([
    ['compose.yaml -f web web.tar', 'compose.yaml -f web=web.tar', 1],
    ['-f web ./out/web.tar compose.yaml', '-f web=./out/web.tar compose.yaml', 1],
    ['--service-image web redis:7 compose.yaml', '--service-image web=redis:7 compose.yaml', 1],
    ['-f web=web.tar compose.yaml', '-f web=web.tar compose.yaml', 0],
    ['-i a a:1 -i b b:1 compose.yaml', '-i a=a:1 -i b=b:1 compose.yaml', 2],
    ['-f compose.yaml build', '-f compose.yaml build', 0],
    ['compose.yaml -f web -r', 'compose.yaml -f web -r', 0],
    ['compose.yaml -f web', 'compose.yaml -f web', 0],
    ['compose.yaml -- -f web web.tar', 'compose.yaml -- -f web web.tar', 0],
    ['compose.yaml -l INFO', 'compose.yaml -l info', 0],
    ['compose.yaml --log-level DEBUG', 'compose.yaml --log-level debug', 0],
    ['compose.yaml -l info', 'compose.yaml -l info', 0],
    ['compose.yaml -l Info', 'compose.yaml -l Info', 0],
    ['--clean-cache', 'cache prune', 1],
    ['compose.yaml --clean-cache --cache-limit-size 5', 'cache prune --limit-size 5', 1],
    [
      '--clean-cache --cache-limit-percent=30 --cache-dir /c',
      'cache prune --limit-percent 30 --cache-dir /c',
      1,
    ],
    ['--clear-image-cache --cache-limit-size 5', 'cache prune --limit-size 0', 1],
    ['--clear-cache --cache-dir=/c', 'cache clear --cache-dir /c', 1],
    ['compose.yaml -- --clear-cache', 'compose.yaml -- --clear-cache', 0],
  ])('%s', (line, words, notes) => {
    expect(translated(line)).toEqual([words, notes]);
  });

  it("clear the cache in the helper's own folder, and the helper's base does not come back", async () => {
    const folder = temporaryFolder();
    const notes = join(folder, 'cache/manifests/shop');
    mkdirSync(notes, { recursive: true });
    writeFileSync(join(notes, 'previous_artifact.json'), '{"version": "0.9", "services": {}}');
    const environment = { HOME: folder, MENDER_HELPER_CACHE_DIR: join(folder, 'cache') };
    const { signal } = new AbortController();
    const base = async () => {
      const options = { log: silentLog, progress: noProgress, signal, largestLayer: 1, ownFolder: folder };
      const cache = openCache(join(folder, 'cache'), { ...options, helperFolders: [join(folder, 'cache')] });
      return (await cache.lastArtifacts.delivered('shop'))[0]?.version;
    };
    expect(await base()).toBe('0.9');
    const { code, stderr } = await runCli(['--clear-cache'], environment);
    expect([code, stderr]).toEqual([0, expect.stringContaining('is `mender-docker-delta cache clear` here')]);
    expect(await base()).toBeUndefined();
  });
});
