#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an OCI layout with an image for three platforms and everything that may belong to one.

    index_layout.py DIR TAG [--size BYTES] [--seed TEXT] [--plain]

The images share one layer and have one of their own each (BYTES bytes, default 1000, that do not compress). The index
has attestations as BuildKit makes them. Unless --plain is given there are besides: what cosign tags (a signature of
the index, an attestation and a list of contents of the first image), and a referrer of the index that has a referrer
itself. The index is written as nobody else would write it, so that whoever writes it anew is found out. Prints what
there is, as JSON.
"""
import argparse
import gzip
import hashlib
import json
import os

from make_layout import Layout, layer_tar

OCI = "application/vnd.oci.image."
INDEX, MANIFEST = OCI + "index.v1+json", OCI + "manifest.v1+json"
PLATFORMS = [{"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64", "variant": "v8"},
             {"os": "linux", "architecture": "s390x"}]
NOBODY = {"os": "unknown", "architecture": "unknown"}
REF = "org.opencontainers.image.ref.name"


class IndexLayout(Layout):
    def __init__(self, path, size, seed):
        super().__init__(path)
        self.size, self.seed = size, seed

    def json(self, value, media_type, **more):
        return {**self.put(json.dumps(value).encode(), media_type), **more}

    def layer(self, number):
        tar = layer_tar(number, self.size, self.seed)
        return (self.put(gzip.compress(tar, 1, mtime=0), OCI + "layer.v1.tar+gzip"),
                "sha256:" + hashlib.sha256(tar).hexdigest())

    def image(self, number, platform):
        layers = [self.layer(0), self.layer(number + 1)]
        config = {**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": [d for _, d in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.json(config, OCI + "config.v1+json"),
                    "layers": [layer for layer, _ in layers]}
        return self.json(manifest, MANIFEST, platform=platform)

    def attestation(self, image):
        config = self.json({**NOBODY, "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}, OCI + "config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                    "layers": [self.json({"about": image["digest"]}, "application/vnd.in-toto+json")]}
        notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
        return self.json(manifest, MANIFEST, platform=NOBODY, annotations=notes)

    def artifact(self, text, kind, subject=None):
        empty = self.put(b"{}", OCI.replace("image.", "empty.") + "v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": empty,
                    "layers": [self.put(text.encode(), "text/plain")]}
        if subject:
            manifest["subject"] = {k: subject[k] for k in ("mediaType", "digest", "size")}
        return self.json(manifest, MANIFEST)

    def beside(self, subject, suffix):
        """As cosign tags it."""
        entry = self.artifact(f"{suffix} of {subject['digest']}", "application/x-cosign")
        entry["annotations"] = {REF: subject["digest"].replace(":", "-") + suffix}
        return entry


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("tag")
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--seed", default="")
    parser.add_argument("--plain", action="store_true")
    o = parser.parse_args()
    layout = IndexLayout(o.dir, o.size, o.seed)
    images = [layout.image(n, platform) for n, platform in enumerate(PLATFORMS)]
    index = {"manifests": images + [layout.attestation(image) for image in images[:2]], "mediaType": INDEX,
             "annotations": {"org.example.note": "kept"}, "schemaVersion": 2}
    root = layout.put(json.dumps(index, indent=3).encode(), INDEX)
    entries, tags, referrers = [{**root, "annotations": {REF: o.tag}}], [], []
    if not o.plain:
        tags = [layout.beside(root, ".sig"), layout.beside(images[0], ".att"), layout.beside(images[0], ".sbom")]
        first = layout.artifact("contents", "application/x-contents", root)
        referrers = [first, layout.artifact("signature of the contents", "application/x-signature", first)]
        entries += tags + referrers
    layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
    layout.write("index.json", {"schemaVersion": 2, "manifests": entries})
    print(json.dumps({"index": root["digest"], "images": [i["digest"] for i in images],
                      "attestations": [a["digest"] for a in index["manifests"][3:]],
                      "tags": {t["annotations"][REF]: t["digest"] for t in tags},
                      "referrers": [r["digest"] for r in referrers],
                      "blobs": sorted(os.listdir(os.path.join(o.dir, "blobs/sha256")))}))


if __name__ == "__main__":
    main()
