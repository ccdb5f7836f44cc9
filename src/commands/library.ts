import type { Argv } from 'yargs';
import type { Command } from './command.ts';
import { RUN } from './libraryActions.ts';
import { LIBRARY_ACTIONS, LIBRARY_OPTIONS } from './libraryOptions.ts';
import type { LibraryCommandFlags } from './libraryOptions.ts';

/** `library push|pull|search|tag|rm` */
export const libraryCommand: Command<LibraryCommandFlags> = {
  usage: 'library <action> <words..>',
  describe: 'Push, pull, search, tag or remove files in a container library',
  examples: [
    [
      '$0 library push app.oci.tar library://acme/apps/gateway:1.2,latest',
      'push an image archive, with two tags',
    ],
    [
      '$0 library pull library://acme/apps/gateway:1.2 -o app.oci.tar',
      'download; run again after a break, it goes on',
    ],
    ['$0 library tag library://acme/apps/gateway:1.2 stable', 'let another tag mean the same file'],
    ['$0 library rm library://acme/apps/gateway:1.2 --arch arm64', 'remove it'],
  ],
  options: (parser) =>
    parser
      .positional('action', { choices: LIBRARY_ACTIONS, demandOption: true, describe: 'What to do' })
      .positional('words', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'push: FILE REFERENCE; pull, rm: REFERENCE; tag: REFERENCE TAG..; search: TEXT',
      })
      .options(LIBRARY_OPTIONS) as unknown as Argv<LibraryCommandFlags>,
  run: (flags, context) => RUN[flags.action](flags, context),
};
