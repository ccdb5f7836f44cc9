import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withCheckout } from '../../src/git/checkout.ts';
import { findRepository, readFileAt, resolveRef } from '../../src/git/repository.ts';
import { sourceOf } from '../../src/git/source.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { commitAll, git, writeFiles } from './project.ts';

/** A repository in which something tries to run `script`, which leaves a mark. */
interface Place {
  folder: string;
  home: string;
  script: string;
  mark: string;
}

let place: Place;

beforeEach(() => {
  const [folder, home] = [temporaryFolder(), temporaryFolder()];
  const mark = join(home, 'mark');
  const script = join(home, 'script.sh');
  writeFiles(home, { 'script.sh': `#!/bin/sh\necho ran >> ${mark}\ncat 2>/dev/null\n` });
  chmodSync(script, 0o755);
  place = { folder, home, script, mark };
  vi.stubEnv('HOME', home);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Sets an entry of the repository's own configuration. */
const own = (key: string, value: string): string => git(place.folder, 'config', key, value);
/** Sets an entry of the user's configuration. */
const global = (key: string, value: string): string =>
  git(place.folder, 'config', '--file', join(place.home, '.gitconfig'), key, value);

function hook(folder: string, name: string): void {
  writeFiles(folder, { [name]: readFileSync(place.script, 'utf8') });
  chmodSync(join(folder, name), 0o755);
}

const HOOKS = ['post-checkout', 'post-index-change', 'reference-transaction', 'fsmonitor-watchman'];
const ATTRIBUTES = '* filter=evil diff=evil merge=evil text ident\n';

/** What a project or a user's configuration may name, with what makes git want it. */
const TRAPS: Record<string, () => void> = {
  'core.fsmonitor of the repository': () => own('core.fsmonitor', place.script),
  'hooks of the repository': () => {
    for (const name of HOOKS) hook(join(place.folder, '.git/hooks'), name);
  },
  'core.hooksPath of the repository': () => {
    for (const name of HOOKS) hook(join(place.folder, 'hooks'), name);
    own('core.hooksPath', join(place.folder, 'hooks'));
  },
  'core.hooksPath of the user': () => {
    for (const name of HOOKS) hook(join(place.home, 'hooks'), name);
    global('core.hooksPath', join(place.home, 'hooks'));
  },
  'a relative core.hooksPath of the user, with a hook in the commit': () => {
    for (const name of HOOKS) hook(join(place.folder, '.githooks'), name);
    global('core.hooksPath', '.githooks');
  },
  'init.templateDir of the user': () => {
    for (const name of HOOKS) hook(join(place.home, 'template/hooks'), name);
    global('init.templateDir', join(place.home, 'template'));
  },
  'filters of the repository': () => {
    for (const kind of ['clean', 'smudge', 'process']) own(`filter.evil.${kind}`, place.script);
  },
  'filters of the user': () => {
    for (const kind of ['clean', 'smudge', 'process']) global(`filter.evil.${kind}`, place.script);
    global('filter.evil.required', 'true');
  },
  'diff programs of the repository': () => {
    own('diff.external', place.script);
    own('diff.evil.command', place.script);
    own('diff.evil.textconv', place.script);
  },
  'pager, editor, ssh, gpg and credential programs of the repository': () => {
    for (const key of ['core.pager', 'core.editor', 'core.sshCommand', 'core.askPass', 'gpg.program'])
      own(key, place.script);
    own('pager.rev-parse', place.script);
    own('pager.cat-file', place.script);
    own('credential.helper', `!${place.script}`);
    own('log.showSignature', 'true');
    own('core.alternateRefsCommand', place.script);
  },
  'aliases of the repository': () => {
    for (const name of ['rev-parse', 'cat-file', 'ls-tree', 'read-tree', 'checkout-index', 'init'])
      own(`alias.${name}`, `!${place.script}`);
  },
};

/** Everything that the tool asks of git. */
async function readAll(commit: string): Promise<void> {
  const { folder } = place;
  const repository = await findRepository(folder);
  expect(repository).toMatchObject({ head: commit });
  expect(await sourceOf(repository!, repository!.root)).toMatchObject({ commit });
  expect(await resolveRef(folder, 'main')).toBe(commit);
  expect(await readFileAt(folder, 'HEAD', 'VERSION')).toBe('1.0');
  await withCheckout(folder, commit, (checkout) => {
    expect(readFileSync(join(checkout, 'VERSION'), 'utf8')).toBe('1.0\n');
    return Promise.resolve();
  });
}

describe('looking at a repository runs no code', () => {
  test.each(Object.entries(TRAPS))('of %s', async (_, prepare) => {
    const files = { VERSION: '1.0\n', '.gitattributes': ATTRIBUTES };
    commitAll(place.folder, files);
    prepare();
    git(place.folder, 'add', '-A', '--', ':!.gitattributes', ':!VERSION');
    git(place.folder, 'commit', '-q', '--allow-empty', '-m', 'trap');
    rmSync(place.mark, { force: true }); // what git itself ran above does not count
    const head = readFileSync(join(place.folder, '.git/refs/heads/main'), 'utf8').trim();
    await readAll(head);
    expect(existsSync(place.mark)).toBe(false);
  });

  test.each([
    ['the upload-pack of its remote', '/nowhere', 'remote.origin.uploadpack'],
    ['an ext transport', 'ext::SCRIPT', 'core.gitProxy'],
    ['ssh', 'ssh://localhost/x', 'core.sshCommand'],
  ])('of a partial clone: %s', async (_, url, key) => {
    const commit = commitAll(place.folder, { VERSION: '1.0\n' });
    const blob = git(place.folder, 'rev-parse', 'HEAD:VERSION');
    own('core.repositoryFormatVersion', '1');
    own('extensions.partialClone', 'origin');
    own('remote.origin.promisor', 'true');
    own('remote.origin.url', url.replace('SCRIPT', place.script));
    own(key, place.script);
    own('protocol.allow', 'always');
    own('protocol.ext.allow', 'always');
    rmSync(join(place.folder, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    await expect(readFileAt(place.folder, 'HEAD', 'VERSION')).rejects.toThrow('git failed');
    await expect(withCheckout(place.folder, commit, () => Promise.resolve())).rejects.toThrow('git failed');
    expect(existsSync(place.mark)).toBe(false);
  });

  test('files are read as they are stored', async () => {
    global('core.autocrlf', 'true');
    const commit = commitAll(place.folder, { '.gitattributes': '* text eol=crlf ident\n', other: '$Id$\n' });
    await withCheckout(place.folder, commit, (checkout) => {
      expect(readFileSync(join(checkout, 'other'), 'utf8')).toBe('$Id$\n');
      return Promise.resolve();
    });
  });
});
