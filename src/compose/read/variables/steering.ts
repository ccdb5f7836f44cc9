/** What Compose and Docker read from their environment and from a `.env`. */
const STEERING: ReadonlySet<string> = new Set([
  ...['ANSI', 'BAKE', 'COMPATIBILITY', 'CONVERT_WINDOWS_PATHS', 'DISABLE_ENV_FILE', 'ENV_FILES'].map(compose),
  ...['EXPERIMENTAL', 'FILE', 'IGNORE_ORPHANS', 'MENU', 'PARALLEL_LIMIT', 'PATH_SEPARATOR'].map(compose),
  ...['PROFILES', 'PROGRESS', 'PROJECT_NAME', 'REMOVE_ORPHANS', 'STATUS_STDOUT'].map(compose),
  ...['API_VERSION', 'BUILDKIT', 'CERT_PATH', 'CONFIG', 'CONTENT_TRUST', 'CONTENT_TRUST_SERVER'].map(docker),
  ...['CONTEXT', 'CUSTOM_HEADERS', 'DEFAULT_PLATFORM', 'HOST', 'TLS', 'TLS_VERIFY'].map(docker),
]);

function compose(name: string): string {
  return `COMPOSE_${name}`;
}

function docker(name: string): string {
  return `DOCKER_${name}`;
}

/**
 * True if a variable of this name in a `.env` changes how Compose or Docker on the device works, in
 * place of the application alone.
 * https://docs.docker.com/compose/how-tos/environment-variables/envvars/
 */
export function isSteering(name: string): boolean {
  return STEERING.has(name);
}
