#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a small OCI layout, for tests that need an image but not a program in it.

    make_layout.py DIR TAG [--layers N] [--size BYTES] [--seed TEXT] [--config JSON]

Each of the N layers (default 2) is a gzip tar with the file /layer<i> of BYTES bytes (default
1000), which do not compress, and /shared, which holds the layer's number. Same arguments, same
bytes. JSON is merged into the image config's "config". Prints the manifest's digest.
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import random
import tarfile


def add_file(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(data))


def layer_tar(number, size, seed):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        add_file(tar, "layer%d" % number, random.Random("%s%d" % (seed, number)).randbytes(size))
        add_file(tar, "shared", b"%d\n" % number)
    return out.getvalue()


class Layout:
    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs/sha256"), exist_ok=True)

    def put(self, data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.path, "blobs/sha256", digest), "wb") as f:
            f.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w") as f:
            json.dump(value, f)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("tag")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--seed", default="")
    parser.add_argument("--config", default="{}")
    o = parser.parse_args()
    prefix = "application/vnd.oci.image."
    layout = Layout(o.dir)
    tars = [layer_tar(i, o.size, o.seed) for i in range(o.layers)]
    layers = [layout.put(gzip.compress(t, 1, mtime=0), prefix + "layer.v1.tar+gzip") for t in tars]
    diff_ids = ["sha256:" + hashlib.sha256(t).hexdigest() for t in tars]
    config = {"architecture": "amd64", "os": "linux", "config": json.loads(o.config),
              "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    manifest = {"schemaVersion": 2, "mediaType": prefix + "manifest.v1+json",
                "config": layout.put(json.dumps(config).encode(), prefix + "config.v1+json"),
                "layers": layers}
    entry = layout.put(json.dumps(manifest).encode(), prefix + "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": o.tag}
    layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
    layout.write("index.json", {"schemaVersion": 2, "manifests": [entry]})
    print(entry["digest"])


if __name__ == "__main__":
    main()
