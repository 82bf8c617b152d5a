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
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import draw
import execs
import moves

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def have(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


GNU_TIME = "/usr/bin/time"


def peak_kib(path, usage):
    """What GNU time wrote. Without it the figure is never below our own size, which a child inherits."""
    if not os.path.exists(GNU_TIME):
        return usage.ru_maxrss
    with open(path, encoding="utf-8") as file:
        return int(file.read().split()[-1])


def timed(command, env=None):
    """Wall seconds, processor seconds and peak resident KiB of one process (children's included)."""
    with tempfile.TemporaryFile() as errors, tempfile.NamedTemporaryFile() as peak:
        if os.path.exists(GNU_TIME):
            command = [GNU_TIME, "-f", "%M", "-o", peak.name, *command]
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            errors.seek(0)
            raise RuntimeError(f"{' '.join(command)}: exit {child.returncode}: {errors.read().decode()[-400:]}")
        return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": peak_kib(peak.name, usage)}


class Daemon:
    """A server that lives for the bench and is always ended."""
    running = []

    def __init__(self, command, ready, env=None):
        self.process = subprocess.Popen(command, env=env, start_new_session=True, **QUIET)
        Daemon.running.append(self)
        for _ in range(300):
            if ready():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"{command[0]} did not come up")

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if self in Daemon.running:
            Daemon.running.remove(self)


def answers(port):
    def ask():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0
    return ask


def remove_tree(path):
    subprocess.run(f"awk '$2 ~ \"^{path}/\" {{print $2}}' /proc/mounts | sort -r | xargs -r umount -l", shell=True,
                   check=False, **QUIET)
    shutil.rmtree(path, ignore_errors=True)


class Contender:
    """One program: reset() is not timed, pull() and run() give the command that is."""
    name = "?"

    def __init__(self, work, registry):
        self.dir, self.registry = os.path.join(work, self.name), registry

    def available(self):
        return have(self.name)

    def image(self, codec):
        return f"{self.registry}/bench:{codec}"

    def reset(self):
        remove_tree(self.dir)
        os.makedirs(self.dir)

    def pull(self, codec):
        return None

    def run(self, codec):
        return None

    def close(self):
        remove_tree(self.dir)


class Ours(Contender):
    name = "wincontainer"
    build = None

    def available(self):
        return True

    def command(self, *args):
        return [f"{self.build}/bin/wcctl", "--root", f"{self.dir}/root", "--run-root", f"{self.dir}/run", "--runtime",
                "runc", *args]

    def pull(self, codec):
        return self.command("pull", "-q", "--tls-verify=false", self.image(codec))

    def run(self, codec):
        return self.command("run", "--rm", "--network", "none", self.image(codec), "true")


class Podman(Contender):
    name = "podman"

    def command(self, *args):
        return ["podman", "--root", f"{self.dir}/root", "--runroot", f"{self.dir}/run", "--storage-driver", "overlay",
                "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", have("runc") or "runc",
                "--tmpdir", f"{self.dir}/tmp", *args]

    def pull(self, codec):
        return self.command("pull", "-q", "--tls-verify=false", self.image(codec))

    def run(self, codec):
        return self.command("run", "--rm", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit",
                            "nproc=4096:4096", "--log-driver", "k8s-file", self.image(codec), "true")


class Containerd(Contender):
    name = "ctr"
    daemon = None

    def available(self):
        return have("ctr") and have("containerd")

    def reset(self):
        self.close()
        os.makedirs(self.dir)
        socket_path = f"{self.dir}/containerd.sock"
        with open(f"{self.dir}/config.toml", "w", encoding="utf-8") as config:
            config.write(f'version = 2\nroot = "{self.dir}/root"\nstate = "{self.dir}/state"\n'
                         f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{socket_path}"\n')
        self.daemon = Daemon(["containerd", "-c", f"{self.dir}/config.toml"], lambda: os.path.exists(socket_path))
        time.sleep(0.5)

    def command(self, *args):
        return ["ctr", "-a", f"{self.dir}/containerd.sock", *args]

    def pull(self, codec):
        return self.command("images", "pull", "--plain-http", self.image(codec))

    def run(self, codec):
        return self.command("run", "--rm", self.image(codec), "bench-run", "true")

    def close(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None
        remove_tree(self.dir)


class Docker(Contender):
    name = "docker"
    daemon = None

    def available(self):
        return have("dockerd") and have("docker")

    def reset(self):
        self.close()
        os.makedirs(self.dir)
        socket_path = f"{self.dir}/docker.sock"
        self.daemon = Daemon(["dockerd", "--data-root", f"{self.dir}/root", "--exec-root", f"{self.dir}/run", "-H",
                              f"unix://{socket_path}", "-p", f"{self.dir}/pid", "--bridge", "none", "--iptables=false"],
                             lambda: subprocess.run(self.command("info"), check=False, **QUIET).returncode == 0)

    def command(self, *args):
        return ["docker", "-H", f"unix://{self.dir}/docker.sock", *args]

    def pull(self, codec):
        return self.command("pull", "-q", self.image(codec)) if codec == "gzip" else None

    def run(self, codec):
        return self.command("run", "--rm", "--network", "none", self.image(codec), "true")

    def close(self):
        Containerd.close(self)


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


def rounds(count, contenders, prepare, command):
    """{name: [figures of each round]}; a contender that fails once is left out, with the reason."""
    results = {c.name: [] for c in contenders}
    for number in range(count):
        for c in contenders:
            if c.name not in results:
                continue
            try:
                prepare(c)
                line = command(c)
                if line is None:
                    del results[c.name]
                    continue
                results[c.name].append(timed(line))
            except (RuntimeError, OSError) as error:
                print(f"  {c.name} left out: {error}", file=sys.stderr)
                results.pop(c.name, None)
        print(f"  round {number + 1} of {count} done", file=sys.stderr)
    return results


def in_daemon(name):
    return name in (Containerd.name, Docker.name)


def summary(title, results, ours):
    rows = []
    for name, figures in results.items():
        ratios = [o["wall"] / f["wall"] for o, f in zip(results[ours], figures)] if ours in results else []
        rows.append({"name": name, "wall": statistics.median(f["wall"] for f in figures),
                     "low": min(f["wall"] for f in figures), "high": max(f["wall"] for f in figures),
                     "cpu": statistics.median(f["cpu"] for f in figures),
                     "rss_mb": max(f["rss"] for f in figures) / 1024, "client_only": in_daemon(name),
                     "ratio": statistics.median(ratios) if ratios else None})
    rows.sort(key=lambda r: r["wall"])
    print(f"\n{title}\n  {'':16}{'median s':>10}{'min':>9}{'max':>9}{'cpu s':>9}{'peak MB':>9}{'ours / it':>11}")
    for r in rows:
        ratio = f"{r['ratio']:.2f}" if r["ratio"] else ""
        mark = "*" if r["client_only"] else ""
        print(f"  {r['name']:16}{r['wall']:10.3f}{r['low']:9.3f}{r['high']:9.3f}{r['cpu']:8.2f}{mark:1}{r['rss_mb']:8.1f}"
              f"{mark:1}{ratio:>11}")
    if any(r["client_only"] for r in rows):
        print("  * of the client alone; what its daemon used, which does the work, is not in it")
    return {"title": title, "rows": rows}


def bench_pull(contenders, count, codec):
    results = rounds(count, contenders, lambda c: c.reset(), lambda c: c.pull(codec))
    return summary(f"Pull and unpack, five layers, {codec}", results, Ours.name)


def bench_run(contenders, count):
    runners = [c for c in contenders if c.run("gzip")]
    for c in runners:
        c.reset()
        timed(c.pull("gzip"))
    return summary("run --rm --network none IMAGE true, over runc",
                   rounds(count, runners, lambda c: None, lambda c: c.run("gzip")), Ours.name)


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


def write_results(results, directory):
    with open(os.path.join(directory, "bench.json"), "w", encoding="utf-8") as out:
        json.dump(results, out, indent=1)
    draw.bars(results, Ours.name, os.path.join(directory, "bench.svg"))
    print(f"\nwritten: {directory}/bench.json, {directory}/bench.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--corpus", default=os.environ.get("WC_BENCH_CORPUS"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", default="/dev/shm")
    parser.add_argument("--out", default=".")
    parser.add_argument("--only", choices=("pull", "run", "exec", "move"))
    args = parser.parse_args()
    if args.only == "exec": # neither registry nor corpus
        write_results(execs.bench(args.build, args.work, max(args.rounds, 40)), args.out)
        return
    for program in ("docker-registry", "skopeo", "runc"):
        if not have(program):
            sys.exit(f"bench: {program} is not installed")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    corpus = args.corpus or "/var/tmp/wincontainer-corpus"
    if not os.path.exists(f"{corpus}/img-gzip"):
        print(f"building the corpus in {corpus} (some minutes)", file=sys.stderr)
        subprocess.run([os.path.join(os.path.dirname(__file__), "corpus.sh"), corpus], check=True)
    work = tempfile.mkdtemp(prefix="wc-bench-", dir=args.work)
    os.environ["TMPDIR"] = work
    Ours.build, Floor.corpus, moves.Ours.build = args.build, corpus, args.build
    contenders = []
    try:
        registry = start_registry(work, corpus)
        contenders = [c for c in (kind(work, registry) for kind in (Ours, Podman, Containerd, Docker, Floor))
                      if c.available()]
        print("contenders: " + ", ".join(c.name for c in contenders), file=sys.stderr)
        results = []
        if args.only in (None, "pull"):
            results += [bench_pull(contenders, args.rounds, codec) for codec in ("gzip", "zstd")]
        if args.only in (None, "move"):
            results += moves.bench(work, registry, f"{corpus}/img-gzip", args.rounds, rounds, summary)
        if args.only in (None, "run"):
            results.append(bench_run(contenders, max(args.rounds, 12)))
        if args.only in (None, "exec"):
            results += execs.bench(args.build, work, max(args.rounds, 40))
        write_results(results, args.out)
    finally:
        for c in contenders:
            c.close()
        for daemon in list(Daemon.running):
            daemon.stop()
        remove_tree(work)


if __name__ == "__main__":
    main()
