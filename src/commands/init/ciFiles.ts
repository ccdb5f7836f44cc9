import { scalar } from './withSettings.ts';

export const CI_SYSTEMS = ['github', 'gitlab'] as const;
export type CiSystem = (typeof CI_SYSTEMS)[number];

/**
 * The file with which a CI system builds a delta for each branch and a full artifact as well for
 * each tag. `path` and `manifest`, the Compose file or its folder, start at the top of the git
 * repository.
 */
export function ciFile(system: CiSystem, manifest: string): { path: string; text: string } {
  return system === 'github'
    ? { path: '.github/workflows/mender.yml', text: githubText(scalar(manifest)) }
    : { path: '.gitlab-ci.yml', text: gitlabText(scalar(manifest)) };
}

function githubText(manifest: string): string {
  return `name: mender
on:
  push:
    branches: [main]
    tags: ['*']
permissions:
  contents: read
jobs:
  artifact:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          # The base is an earlier commit.
          fetch-depth: 0
      - uses: actions/cache@v4
        with:
          path: ~/.cache/mender-docker-delta
          # Jobs with the token do not read what jobs without it wrote.
          key: mender-docker-delta-\${{ github.ref_type }}-\${{ github.run_id }}
          restore-keys: mender-docker-delta-\${{ github.ref_type }}-
      # It gets the token: name a commit of a repository that you trust. There is no release yet.
      - uses: mender-docker-delta/mender-docker-delta@v0
        with:
          manifest: ${manifest}
          cache: 'false'
          release: \${{ github.ref_type == 'tag' }}
          also-full: \${{ github.ref_type == 'tag' }}
          upload: \${{ github.ref_type == 'tag' }}
          token: \${{ github.ref_type == 'tag' && secrets.MENDER_PAT || '' }}
`;
}

function gitlabText(manifest: string): string {
  return `# Variables of the project: MENDER_PAT, masked and protected, and DELTA_TOOL_PACKAGE, the address of the tool's package.
# Protect the tags, so that only they get the token.
variables:
  COMPOSE_MANIFEST: ${manifest}

.mender-docker-delta:
  image: node:22-bookworm
  variables:
    # The base is an earlier commit.
    GIT_DEPTH: '0'
    MENDER_DOCKER_DELTA_CACHE_DIR: $CI_PROJECT_DIR/.mender-docker-delta
  cache:
    paths:
      - .mender-docker-delta/
  before_script:
    - |
      if [ -z "$DELTA_TOOL_PACKAGE" ]; then
        echo "error: DELTA_TOOL_PACKAGE is empty" >&2
        echo "  try: set it to the address of the package, for example https://example.com/mender-docker-delta-0.2.0.tgz" >&2
        exit 2
      fi
    - npm install --global --no-audit --no-fund "$DELTA_TOOL_PACKAGE"
  artifacts:
    paths:
      - '*.mender'

${GITLAB_JOBS}`;
}

const GITLAB_JOBS = `mender-delta:
  extends: .mender-docker-delta
  rules:
    - if: $CI_COMMIT_BRANCH
  cache:
    key: mender-docker-delta-branches
  script:
    - mender-docker-delta build "$COMPOSE_MANIFEST" --no-cache --no-upload

mender-release:
  extends: .mender-docker-delta
  rules:
    - if: $CI_COMMIT_TAG
  # Jobs with the token do not read what jobs without it wrote.
  cache:
    key: mender-docker-delta-tags
  script:
    - mender-docker-delta build "$COMPOSE_MANIFEST" --release --also-full --no-cache
`;
