'use strict';
const { lstatSync, mkdirSync, realpathSync } = require('node:fs');
const { homedir } = require('node:os');
const { dirname, isAbsolute, join, resolve } = require('node:path');

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/**
 * The folder for compiled code, or undefined if no folder is safe. Node.js runs what it finds there, and checks neither
 * owner nor content. So the folder belongs to the user, nobody else can open it, and nobody else can replace it. It is
 * not in the tool's own cache folder, because CI systems share that one between jobs.
 */
function compileCacheFolder(environment) {
  try {
    const given = environment.XDG_CACHE_HOME;
    const isGiven = given !== undefined && isAbsolute(given);
    const caches = isGiven ? given : join(environment.HOME || homedir(), '.cache');
    const path = resolve(caches, 'mender-docker-delta-compiled');
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const folder = realpathSync(path);
    return isPrivate(folder) && isKept(dirname(folder)) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** True for a real folder of this user that nobody else can open. */
function isPrivate(folder) {
  const status = lstatSync(folder);
  return status.isDirectory() && status.uid === process.getuid() && (status.mode & 0o077) === 0;
}

/** True if only root and this user can rename what is in the folder, and the folders above it. */
function isKept(folder) {
  const { uid, mode } = lstatSync(folder);
  const isOurs = uid === 0 || uid === process.getuid();
  const isClosed = (mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0;
  const above = dirname(folder);
  return isOurs && isClosed && (above === folder || isKept(above));
}

module.exports = { compileCacheFolder };
