export const CI_SYSTEMS = ['github', 'gitlab'] as const;
export type CiSystem = (typeof CI_SYSTEMS)[number];

/** The file that lets a CI system build a release for each tag, by its path in the project. */
export function ciFile(system: CiSystem): { path: string; text: string } {
  return FILES[system];
}

const FILES: Record<CiSystem, { path: string; text: string }> = {
  github: {
    path: '.github/workflows/mender.yml',
    text: `name: mender
on:
  push:
    tags: ['*']
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          # The base is an earlier commit.
          fetch-depth: 0
      - uses: mender-docker-delta/mender-docker-delta@v0
        with:
          manifest: .
          release: true
          cache: false
          token: \${{ secrets.MENDER_PAT }}
`,
  },
  gitlab: {
    path: '.gitlab-ci.yml',
    text: `# Variables of the project: MENDER_PAT, masked and protected, and DELTA_TOOL_PACKAGE, the address of the tool's package.
# Protect the tags, so that only they get the token.
mender:
  image: node:22
  rules:
    - if: $CI_COMMIT_TAG
  variables:
    # The base is an earlier commit.
    GIT_DEPTH: 0
  before_script:
    - |
      if [ -z "$DELTA_TOOL_PACKAGE" ]; then
        echo "error: DELTA_TOOL_PACKAGE is empty" >&2
        echo "  try: set it to the address of the package, for example https://example.com/mender-docker-delta-0.1.0.tgz" >&2
        exit 2
      fi
    - npm install --global --no-audit --no-fund "$DELTA_TOOL_PACKAGE"
  script:
    - mender-docker-delta build . --release --no-cache
`,
  },
};
