#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs this library and every peer found in turn, prints medians and ratios, and draws one SVG.

Everything is on tmpfs: registry, stores, temporary files. A round runs each contender once, so that a
machine that slows down slows them all; ratios are taken round by round and their median is shown.

Processor time and peak memory are those of the command that is run, with its children. Docker and containerd
work in a daemon: theirs are marked, since they are of the client alone.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import containers
import draw
import execs
import moves
from contenders import Contender, Containerd, Daemon, Docker, Ours, Podman
from contenders import answers, free_port, have, remove_tree, rounds, summary


class Floor(Contender):
    """No download, nothing verified: inflate piped into tar, two layers at a time."""
    name = "floor"
    corpus = None

    def available(self):
        return have("igzip") and have("zstd")

    def pull(self, codec):
        layout = f"{self.corpus}/img-{codec}"
        index = json.load(open(f"{layout}/index.json", encoding="utf-8"))
        path = f"{layout}/blobs/" + index["manifests"][0]["digest"].replace(":", "/")
        layers = [layer["digest"].replace(":", "/") for layer in json.load(open(path, encoding="utf-8"))["layers"]]
        inflate = "igzip -dc" if codec == "gzip" else "zstd -dcq"
        script = f"d=$(mktemp -d -p {self.dir}); {inflate} <{layout}/blobs/$0 | tar -x -C $d"
        return ["sh", "-c", f"printf '%s\\n' {' '.join(layers)} | xargs -n 1 -P 2 sh -c '{script}'"]


def bench_pull(contenders, count, codec):
    results = rounds(count, contenders, lambda c: c.reset(), lambda c: c.pull(codec))
    return summary(f"Pull and unpack, five layers, {codec}", results, Ours.name)


def start_registry(work, corpus):
    port = free_port()
    with open(f"{work}/registry.yml", "w", encoding="utf-8") as config:
        config.write(f"version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {work}/registry\n"
                     f"http:\n  addr: 127.0.0.1:{port}\n")
    Daemon(["docker-registry", "serve", f"{work}/registry.yml"], answers(port))
    for codec in ("gzip", "zstd"):
        subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{corpus}/img-{codec}:bench",
                        f"docker://localhost:{port}/bench:{codec}"], check=True)
    return f"localhost:{port}"


def bench_images(work, args):
    """Pulls and moves, of the corpus."""
    if not os.path.exists(f"{args.corpus}/img-gzip"):
        print(f"building the corpus in {args.corpus} (some minutes)", file=sys.stderr)
        subprocess.run([os.path.join(os.path.dirname(__file__), "corpus.sh"), args.corpus], check=True)
    Floor.corpus, moves.Ours.build = args.corpus, args.build
    registry = start_registry(work, args.corpus)
    contenders = [c for c in (kind(work, registry) for kind in (Ours, Podman, Containerd, Docker, Floor)) if c.available()]
    print("contenders: " + ", ".join(c.name for c in contenders), file=sys.stderr)
    results = []
    try:
        if args.only in (None, "pull"):
            results += [bench_pull(contenders, args.rounds, codec) for codec in ("gzip", "zstd")]
        if args.only in (None, "move"):
            results += moves.bench(work, registry, f"{args.corpus}/img-gzip", args.rounds, rounds, summary)
    finally:
        for c in contenders:
            c.close()
    return results


IMAGES = ("pull", "move")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--corpus", default=os.environ.get("WC_BENCH_CORPUS", "/var/tmp/wincontainer-corpus"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", default="/dev/shm")
    parser.add_argument("--out", default=".")
    parser.add_argument("--only", choices=IMAGES + ("exec",) + containers.KINDS)
    args = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program in ("docker-registry", "skopeo", "runc"):
        if not have(program):
            sys.exit(f"bench: {program} is not installed")
    work = tempfile.mkdtemp(prefix="wc-bench-", dir=args.work)
    os.environ["TMPDIR"] = work
    Ours.build = args.build
    results = []
    try:
        if args.only in (None, *IMAGES):
            results += bench_images(work, args)
        if args.only in (None, *containers.KINDS):
            results += containers.bench(work, args.build, args.rounds, args.only)
        if args.only in (None, "exec"):
            results += execs.bench(args.build, work, max(args.rounds, 40))
        with open(os.path.join(args.out, "bench.json"), "w", encoding="utf-8") as out:
            json.dump(results, out, indent=1)
        draw.bars(results, Ours.name, os.path.join(args.out, "bench.svg"))
        print(f"\nwritten: {args.out}/bench.json, {args.out}/bench.svg")
    finally:
        for daemon in list(Daemon.running):
            daemon.stop()
        remove_tree(work)


if __name__ == "__main__":
    main()
