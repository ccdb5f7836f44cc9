import type { FindingKind } from './model.ts';

/** What a finding means, and what would help. */
export interface Advice {
  title: string;
  help: string;
}

/** How reports call everything that is no layer and no decoder. */
export const REST_PART = 'Compose files, scripts, configs';
/** How reports call what an artifact carries to read its patches. */
export const DECODER_PART = 'Decoder for the patches';

/** For each kind of finding. */
export const ADVICE: Readonly<Record<FindingKind, Advice>> = {
  times: {
    title: 'Files with only a new time',
    help: 'The content is the same, and the build gave it a new time. Build with SOURCE_DATE_EPOCH and BuildKit’s rewrite-timestamp=true, or copy these files in a step that the cache keeps.',
  },
  packed: {
    title: 'Compressed bundles',
    help: 'A small change in an archive alters all bytes behind it, and compressing it again gains nothing. Unpack it in the image, or store its parts uncompressed (jar -0, zip -0): the artifact is compressed anyway.',
  },
  program: {
    title: 'Programs that were built anew',
    help: 'A new build moves code around, so that little of the old program can be copied. Pin the compiler and its options, build reproducibly (Go: -trimpath, no build time in the program), and build only what changed. Put what rarely changes into shared libraries.',
  },
  debug: {
    title: 'Programs with debug information',
    help: 'Devices rarely need it. Strip the programs (strip, go build -ldflags="-s -w", strip = true in Cargo.toml) and keep the information elsewhere.',
  },
  packageCache: {
    title: 'Caches of package managers',
    help: 'Remove them in the RUN that made them (rm -rf /var/lib/apt/lists/*, apk add --no-cache), or mount them: RUN --mount=type=cache,target=/var/cache/apt ...',
  },
  userCache: {
    title: 'Caches and temporary files',
    help: 'Mount the cache folder (RUN --mount=type=cache,target=/root/.cache ...), use pip --no-cache-dir and npm ci --cache, or remove the files in the RUN that made them.',
  },
  log: {
    title: 'Logs',
    help: 'Logs of the build are of no use on a device, and differ with every build. Remove them in the RUN that made them.',
  },
  bytecode: {
    title: 'Python bytecode',
    help: 'It holds the time of its source, so it changes with every build. Set PYTHONDONTWRITEBYTECODE=1, or compile with --invalidation-mode unchecked-hash.',
  },
  documentation: {
    title: 'Documentation',
    help: 'Devices rarely need manuals. Leave them out (dpkg: path-exclude /usr/share/doc/*), or remove them in the RUN that installs the packages.',
  },
  git: {
    title: 'Git repositories',
    help: 'Add .git to .dockerignore, or copy only the files that the application needs.',
  },
  twice: {
    title: 'The same file twice',
    help: 'Keep one of the files, and make the other one a link (ln -s). Files of two images belong into a base image of both, which rarely changes.',
  },
  again: {
    title: 'Files that a later layer has again',
    help: 'The content is the same: chown, chmod or touch in a later step copied them. Use COPY --chown and COPY --chmod, or change the files in the step that adds them.',
  },
  replaced: {
    title: 'Files that a later layer replaces or deletes',
    help: 'They travel, and no container sees them. Delete or change files in the RUN that makes them, or build in an earlier stage and copy only the result.',
  },
};
