#!/usr/bin/env sh
':' //; exec node -- "$0" "$@"
// A shell starts Node.js, with --: otherwise Node.js 20 reads the file that --env-file names as its own settings, and
// a NODE_OPTIONS in it runs code.
// Old syntax only: a Node.js that is too old must get as far as saying so.
var OLDEST = [20, 19];
var found = process.versions.node.split('.').map(Number);
var isOld = found[0] < OLDEST[0] || (found[0] === OLDEST[0] && found[1] < OLDEST[1]);
var needed = 'mender-docker-delta needs Node.js ' + OLDEST.join('.') + ' or newer';

if (isOld) {
  process.stderr.write('error: ' + needed + ', and this is ' + process.version + '\n');
  process.stderr.write('  try: install a newer Node.js, for example from https://nodejs.org\n');
  // The exit code of what is not supported.
  process.exitCode = 7;
} else {
  require('./start.js');
}
