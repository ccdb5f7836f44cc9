/** What a registry calls a Mender Artifact of format 3. */
export const ARTIFACT_TYPE = 'application/vnd.mender.artifact.v3';
/** The media type of a .mender file, which is a tar. */
export const ARTIFACT_FILE = 'application/vnd.mender.artifact.v3.tar';
/** The key under which a manifest has the name of the artifact in it. */
export const ARTIFACT_NAME = 'io.mender.artifact.name';
