import type { Device } from './device.ts';

/** The configuration of the module docker-compose. */
export const CONFIG = '/etc/mender/mender-docker-compose.conf';

/** The content store of containerd, below /var/lib. */
export const CONTENT = 'containerd/io.containerd.content.v1.content';

/** Runs a shell line each time before the script loads an image. */
export function beforeLoad(device: Device, line: string): void {
  device.write('wrapper', `#!/bin/sh\n[ "$2" != load ] || { ${line}; }\nexec docker "$@"\n`);
  device.ask(`chmod +x /data/wrapper; echo DOCKER_CMD=/data/wrapper >> ${CONFIG}`);
}

/** Gives a folder below /var/lib a disk of its own, which gets full when the script loads an image. */
export function fillAtLoad(device: Device, folder: string): void {
  const disk = `/var/lib/${folder}`;
  device.ask(`cp -a ${disk} /run/kept; mount -t tmpfs -o size=64m tmpfs ${disk}; cp -a /run/kept/. ${disk}`);
  beforeLoad(device, `cat /dev/zero > ${disk}/fill 2> /dev/null`);
}

/** Starts an installation, and returns when the script loads the first image, where it stays. */
export function stopAtLoad(device: Device, artifact: string): void {
  beforeLoad(device, 'touch /run/reached; sleep 600');
  device.copy(artifact, 'pending.mender');
  device.ask(
    'mender --no-syslog install /data/pending.mender > /data/install.log 2>&1 < /dev/null & while [ ! -e /run/reached ]; do sleep 0.1; done',
  );
}
