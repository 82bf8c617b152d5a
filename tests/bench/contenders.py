# SPDX-License-Identifier: Apache-2.0
"""Who is measured, and how: programs that are run in turn, their servers, the table of what came out."""
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

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


def spawned(command):
    """As timed(), of what is so short that a wrapper would count: without its peak."""
    begin = time.monotonic()
    with open(os.devnull, "r+b") as null:
        pid = os.posix_spawnp(command[0], command, os.environ,
                              file_actions=[(os.POSIX_SPAWN_DUP2, null.fileno(), fd) for fd in (0, 1)])
        _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)}: exit {os.waitstatus_to_exitcode(status)}")
    return {"wall": time.monotonic() - begin, "cpu": usage.ru_utime + usage.ru_stime, "rss": 0}


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
    """One program: reset() is not timed, pull() gives the command that is. start() is the words that start a container
    of the image that load() has brought."""
    name = "?"
    runtime = "runc"
    box = "box"

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

    def load(self, archives):
        raise NotImplementedError

    def start(self, *words):
        return self.command("run", *words)

    def close(self):
        remove_tree(self.dir)


class Ours(Contender):
    name = "wincontainer"
    build = None

    def available(self):
        return True

    def command(self, *args):
        return [f"{self.build}/bin/wcctl", "--root", f"{self.dir}/root", "--run-root", f"{self.dir}/run", "--runtime",
                self.runtime, *args]

    def pull(self, codec):
        return self.command("pull", "-q", "--tls-verify=false", self.image(codec))

    def load(self, archives):
        subprocess.run(self.command("pull", "-q", f"oci-archive:{archives['oci']}:box"), check=True, **QUIET)


class Podman(Contender):
    name = "podman"
    box = "localhost/box"

    def command(self, *args):
        return ["podman", "--root", f"{self.dir}/root", "--runroot", f"{self.dir}/run", "--storage-driver", "overlay",
                "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", have(self.runtime) or self.runtime,
                "--tmpdir", f"{self.dir}/tmp", *args]

    def pull(self, codec):
        return self.command("pull", "-q", "--tls-verify=false", self.image(codec))

    def load(self, archives):
        subprocess.run(self.command("load", "-q", "-i", archives["oci"]), check=True, **QUIET)

    def start(self, *words):
        return self.command("run", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--log-driver",
                            "k8s-file", *words)


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
                              f"unix://{socket_path}", "-p", f"{self.dir}/pid", "--bridge", "none", "--iptables=false",
                              "--add-runtime", f"crun={have('crun')}"],
                             lambda: subprocess.run(self.command("info"), check=False, **QUIET).returncode == 0)

    def command(self, *args):
        return ["docker", "-H", f"unix://{self.dir}/docker.sock", *args]

    def pull(self, codec):
        return self.command("pull", "-q", self.image(codec)) if codec == "gzip" else None

    def load(self, archives):
        subprocess.run(self.command("load", "-q", "-i", archives["docker"]), check=True, **QUIET)

    def start(self, *words):
        return self.command("run", "--runtime", self.runtime, *words)

    def close(self):
        Containerd.close(self)


def rounds(count, contenders, prepare, command, measure=timed):
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
                results[c.name].append(measure(line))
            except (RuntimeError, OSError) as error:
                print(f"  {c.name} left out: {error}", file=sys.stderr)
                results.pop(c.name, None)
        print(f"  round {number + 1} of {count} done", file=sys.stderr)
    return results


def in_daemon(name):
    return name in (Containerd.name, Docker.name)


def summary(title, results, ours, limits=None):
    """limits: {name: what our median ratio to it may be at most}"""
    rows = []
    for name, figures in results.items():
        ratios = [o["wall"] / f["wall"] for o, f in zip(results[ours], figures)] if ours in results else []
        rows.append({"name": name, "wall": statistics.median(f["wall"] for f in figures),
                     "low": min(f["wall"] for f in figures), "high": max(f["wall"] for f in figures),
                     "cpu": statistics.median(f["cpu"] for f in figures),
                     "rss_mb": max(f["rss"] for f in figures) / 1024, "client_only": in_daemon(name),
                     "ratio": statistics.median(ratios) if ratios else None, "limit": (limits or {}).get(name)})
    rows.sort(key=lambda r: r["wall"])
    print(f"\n{title}\n  {'':16}{'median s':>10}{'min':>9}{'max':>9}{'cpu s':>9}{'peak MB':>9}{'ours / it':>11}{'limit':>8}")
    for r in rows:
        ratio = f"{r['ratio']:.2f}" if r["ratio"] else ""
        limit = f"{r['limit']:.2f}" if r["limit"] else ""
        mark = "*" if r["client_only"] else ""
        print(f"  {r['name']:16}{r['wall']:10.3f}{r['low']:9.3f}{r['high']:9.3f}{r['cpu']:8.2f}{mark:1}{r['rss_mb']:8.1f}"
              f"{mark:1}{ratio:>11}{limit:>8}")
    if any(r["client_only"] for r in rows):
        print("  * of the client alone; what its daemon used, which does the work, is not in it")
    return {"title": title, "rows": rows}
