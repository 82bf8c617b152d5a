#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs directories as an OCI layout, one layer each; overlay whiteouts become OCI whiteouts.

usage: pack_layout.py LAYOUT TAG gzip|zstd DIRECTORY...
"""
import hashlib
import json
import os
import stat
import subprocess
import sys
import tarfile

layout, tag, codec, directories = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
blobs = os.path.join(layout, "blobs/sha256")
os.makedirs(blobs)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def document(value, media_type):
    data = json.dumps(value).encode()
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(blobs, digest), "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}


def add_entry(tar, path, name):
    status = os.lstat(path)
    if stat.S_ISSOCK(status.st_mode):
        return
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        head, base = os.path.split(name)
        tar.addfile(tarfile.TarInfo(os.path.join(head, ".wh." + base)))
        return
    info = tar.gettarinfo(path, name)
    if info.isreg():
        with open(path, "rb") as file:
            tar.addfile(info, file)
    else:
        tar.addfile(info)


def layer(directory):
    plain = os.path.join(layout, "layer.tar")
    with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as tar:
        for root, names, files in os.walk(directory):
            names.sort()
            for name in sorted(names + files):
                path = os.path.join(root, name)
                add_entry(tar, path, os.path.relpath(path, directory))
    diff_id = sha256(plain)
    command = {"gzip": ["pigz", "-6", "-n", "-f"], "zstd": ["zstd", "-q", "-3", "-T2", "--rm", "-f"]}[codec]
    subprocess.run(command + [plain], check=True)
    packed = plain + {"gzip": ".gz", "zstd": ".zst"}[codec]
    digest, size = sha256(packed), os.path.getsize(packed)
    os.replace(packed, os.path.join(blobs, digest))
    media_type = "application/vnd.oci.image.layer.v1.tar+" + codec
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": size}, "sha256:" + diff_id


layers = [layer(d) for d in directories]
config = document({
    "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
    "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["/bin/sh"]},
    "rootfs": {"type": "layers", "diff_ids": [d for _, d in layers]},
    "history": [{"created_by": d} for d in directories]}, "application/vnd.oci.image.config.v1+json")
manifest = document({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
    "layers": [d for d, _ in layers]}, "application/vnd.oci.image.manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
with open(os.path.join(layout, "oci-layout"), "w", encoding="utf-8") as out:
    json.dump({"imageLayoutVersion": "1.0.0"}, out)
with open(os.path.join(layout, "index.json"), "w", encoding="utf-8") as out:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, out)
