/** What the probe prints on a small device. */
export const PROBE = `mender-docker-delta probe 1
machine: Linux aarch64
user: 0
client: mender-update
client.version: 5.0.1
provides.artifact_name: shop-1.0
provides.data-docker.mender-docker-compose.shop.version: 1.0
device_type: raspberrypi4
module.docker-compose: 056cb8197713b1c4
docker: docker
docker.version: 28.5.2
docker.platform: linux/arm64
docker.api: 1.51
compose.version: 2.40.3
store: containerd
store.path: /var/lib/containerd
store.mount: /
store.free: 3000000000
xdelta3.version: Xdelta version 3.0.11, Copyright (C) Joshua MacDonald
xdelta3.lzma: no
tool.jq: other
tool.gzip: busybox
tool.tar: busybox
tool.sha256sum: busybox
tool.awk: busybox
work.path: /var/lib/mender
work.mount: /data
work.free: 2000000000
scripts.path: /var/lib/mender/scripts
scripts.mount: /data
scripts.free: 2000000000
scripts.noexec: yes
memory.free: 200000000
memory.total: 900000000
clock: 1796000000
end
`;
