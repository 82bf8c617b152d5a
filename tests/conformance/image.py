#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the conformance image: one static program as entrypoint, and a few files.

usage: image.py LAYOUT_DIR TAG PROGRAM
"""
import hashlib
import io
import json
import os
import sys
import tarfile

FILES = {
    "etc/passwd": b"root:x:0:0:root:/root:/testprog\nworker:x:1000:1001::/home/worker:/testprog\n",
    "etc/group": b"root:x:0:\nworker:x:1001:\nstaff:x:50:worker\n",
    "marker": b"conformance\n",
}
DIRECTORIES = {"etc": 0o755, "home": 0o755, "home/worker": 0o755, "tmp": 0o1777, "proc": 0o555,
               "sys": 0o555, "dev": 0o755, "data": 0o755}


def layer(program):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, kind, mode, data=b""):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size, info.mtime = kind, mode, len(data), 1700000000
            tar.addfile(info, io.BytesIO(data))

        for name, mode in DIRECTORIES.items():
            add(name, tarfile.DIRTYPE, mode)
        for name, data in FILES.items():
            add(name, tarfile.REGTYPE, 0o644, data)
        add("data/plain", tarfile.REGTYPE, 0o644, b"not a program\n")
        with open(program, "rb") as f:
            add("testprog", tarfile.REGTYPE, 0o755, f.read())
    return out.getvalue()


def main():
    directory, tag, program = sys.argv[1:]
    blobs = os.path.join(directory, "blobs/sha256")
    os.makedirs(blobs, exist_ok=True)
    kind = "application/vnd.oci.image."

    def put(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"mediaType": kind + media_type, "digest": "sha256:" + digest, "size": len(data)}

    def write(name, value):
        with open(os.path.join(directory, name), "w") as f:
            json.dump(value, f)

    tar = layer(program)
    machine = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
    config = {
        "architecture": machine.get(os.uname().machine, os.uname().machine), "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {"Entrypoint": ["/testprog"], "Cmd": ["outln:from the image"],
                   "Env": ["PATH=/bin", "FROM_IMAGE=yes"], "Labels": {"image.label": "one"}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
    }
    manifest = {"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                "config": put(json.dumps(config).encode(), "config.v1+json"),
                "layers": [put(tar, "layer.v1.tar")]}
    entry = put(json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    write("oci-layout", {"imageLayoutVersion": "1.0.0"})
    write("index.json", {"schemaVersion": 2, "manifests": [entry]})


main()
