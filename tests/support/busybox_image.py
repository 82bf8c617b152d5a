#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small image that runs: Debian's static busybox with its links, /etc/passwd, /tmp.

usage: busybox_image.py LAYOUT_DIR TAG
"""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

BUSYBOX = next((p for p in ("/bin/busybox", "/usr/bin/busybox") if os.path.exists(p)), None)


def tar_bytes():
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)

    def add(name, kind, mode, data=b"", link=""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, len(data), link, 1700000000
        tar.addfile(info, io.BytesIO(data))

    for directory, mode in (("bin", 0o755), ("etc", 0o755), ("home", 0o755), ("home/wc", 0o755), ("root", 0o700),
                            ("tmp", 0o1777), ("var", 0o755), ("proc", 0o555), ("sys", 0o555), ("dev", 0o755)):
        add(directory, tarfile.DIRTYPE, mode)
    add("bin/busybox", tarfile.REGTYPE, 0o755, open(BUSYBOX, "rb").read())
    for name in subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if name != "busybox":
            add(f"bin/{name}", tarfile.SYMTYPE, 0o777, link="busybox")
    add("etc/passwd", tarfile.REGTYPE, 0o644, b"root:x:0:0:root:/root:/bin/sh\nwc:x:1000:1000:wc:/home/wc:/bin/sh\n")
    add("etc/group", tarfile.REGTYPE, 0o644, b"root:x:0:\nwc:x:1000:\nextra:x:2000:wc\n")
    tar.close()
    return out.getvalue()


def main():
    layout, tag = sys.argv[1:3]
    blobs = os.path.join(layout, "blobs/sha256")
    os.makedirs(blobs, exist_ok=True)

    def blob(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    plain = tar_bytes()
    layer = blob(gzip.compress(plain, 6, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    config = blob(json.dumps({
        "architecture": machine, "os": "linux", "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"], "Labels": {"org.example.kind": "test"}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
        "history": [{"created_by": "busybox"}]}).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = blob(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [layer]}).encode(), "application/vnd.oci.image.manifest.v1+json")
    manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
    with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)
    with open(os.path.join(layout, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)


if __name__ == "__main__":
    if not BUSYBOX:
        print("SKIP: busybox is not installed (busybox-static)")
        sys.exit(77)
    main()
