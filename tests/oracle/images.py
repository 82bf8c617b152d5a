# SPDX-License-Identifier: Apache-2.0
"""The images of the table, in an archive as `docker save` writes them: "box" is busybox, "rich" is the same with
everything that the configuration of an image may say."""
import hashlib
import io
import json
import os
import tarfile

import busybox_image

BOX = {"Env": ["PATH=/bin"], "Cmd": ["/bin/sh"]}
RICH = {
    "Env": ["PATH=/bin", "FROM=image", "EMPTY="], "Entrypoint": ["/bin/echo", "rich:"], "Cmd": ["from", "image"],
    "User": "wc:extra", "WorkingDir": "/home/wc", "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    "Volumes": {"/vol": {}}, "Labels": {"org.example.kind": "rich", "plain": ""}, "StopSignal": "SIGINT",
}


def _layer_of_volume():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind, data in (("vol", tarfile.DIRTYPE, b""), ("vol/file", tarfile.REGTYPE, b"from the image\n")):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size, info.mtime = kind, 0o755 if not data else 0o644, len(data), 1700000000
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _config(config, layers):
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    history = [{"created": "2026-01-01T00:00:00Z", "created_by": f"layer {number}"} for number in range(len(layers))]
    return json.dumps({
        "architecture": machine, "os": "linux", "created": "2026-01-01T00:00:00Z", "config": config, "history": history,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(one).hexdigest() for one in layers]}}).encode()


def write(path):
    layers = [busybox_image.tar_bytes(), _layer_of_volume()]
    manifest = []
    with tarfile.open(path, "w") as tar:
        def add(name, data):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for number, layer in enumerate(layers):
            add(f"layer{number}.tar", layer)
        for name, config, count in (("box", BOX, 1), ("rich", RICH, 2)):
            text = _config(config, layers[:count])
            digest = hashlib.sha256(text).hexdigest()
            add(f"{digest}.json", text)
            manifest.append({"Config": f"{digest}.json", "RepoTags": [f"{name}:latest"],
                             "Layers": [f"layer{number}.tar" for number in range(count)]})
        add("manifest.json", json.dumps(manifest).encode())
