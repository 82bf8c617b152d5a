#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`exec true` in a container that runs: wcctl beside the runtime alone in the same container, podman and docker.

usage: execs.py --build DIR [--runtime runc|crun] [--rounds N] [--work DIR]    prints a table, and with --json rows

A round runs each once. The times are those of whole processes, taken around posix_spawn() and wait4(): a wrapper such as
time(1) would add to both sides of a ratio of a few milliseconds.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
SETTLE_SECONDS = 0.1


def have(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def timed(command):
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]
    begin = time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{' '.join(command)}: exit {os.waitstatus_to_exitcode(status)}")
    return wall, usage.ru_utime + usage.ru_stime


def wcctl(work, args, *words):
    return [f"{args.build}/bin/wcctl", "--root", f"{work}/ours", "--runtime", args.runtime, *words]


def start_ours(work, args):
    """Our own exec, and that of the runtime alone in the same container."""
    subprocess.run(wcctl(work, args, "pull", "-q", f"oci:{work}/image:box"), check=True, **QUIET)
    done = subprocess.run(wcctl(work, args, "run", "-d", "--network", "none", "box", "sleep", "10000"), check=True,
                          capture_output=True, text=True)
    name = done.stdout.strip()
    return {"wincontainer": wcctl(work, args, "exec", name, "true"),
            f"{args.runtime} alone": [have(args.runtime), "--root", f"{work}/ours/run/runtime", "exec", name, "true"]}


def stop_ours(work, args):
    done = subprocess.run(wcctl(work, args, "ps", "-aq"), check=False, capture_output=True, text=True)
    subprocess.run(wcctl(work, args, "rm", "-f", *done.stdout.split()), check=False, **QUIET)


def start_podman(work, args):
    podman = [have("podman"), "--root", f"{work}/podman/root", "--runroot", f"{work}/podman/run", "--tmpdir",
              f"{work}/podman/tmp", "--storage-driver", "overlay", "--cgroup-manager", "cgroupfs", "--events-backend",
              "file", "--runtime", have(args.runtime)]
    subprocess.run([*podman, "pull", "-q", f"oci:{work}/image:box"], check=True, **QUIET)
    image = subprocess.run([*podman, "images", "-q"], check=True, capture_output=True, text=True).stdout.split()[0]
    subprocess.run([*podman, "run", "-d", "--name", "box", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit",
                    "nproc=4096:4096", image, "sleep", "10000"], check=True, **QUIET)
    return {"podman": [*podman, "exec", "box", "true"]}, lambda: subprocess.run([*podman, "rm", "-f", "box"], check=False,
                                                                                **QUIET)


def start_docker(work, _args):
    """Over runc, whatever the runtime of the others."""
    directory = f"{work}/docker"
    os.makedirs(directory)
    docker = [have("docker"), "-H", f"unix://{directory}/docker.sock"]
    daemon = subprocess.Popen([have("dockerd"), "--data-root", f"{directory}/root", "--exec-root", f"{directory}/run", "-H",
                               f"unix://{directory}/docker.sock", "-p", f"{directory}/pid", "--bridge", "none",
                               "--iptables=false"], **QUIET)

    def stop():
        subprocess.run([*docker, "rm", "-f", "box"], check=False, **QUIET)
        daemon.terminate()
        daemon.wait(30)

    for _ in range(300):
        if subprocess.run([*docker, "info"], check=False, **QUIET).returncode == 0:
            break
        if daemon.poll() is not None:
            raise RuntimeError("dockerd did not come up")
        time.sleep(0.1)
    try:
        subprocess.run(["skopeo", "copy", "-q", f"oci:{work}/image:box", f"docker-archive:{directory}/image.tar:box:latest"],
                       check=True)
        subprocess.run([*docker, "load", "-q", "-i", f"{directory}/image.tar"], check=True, **QUIET)
        subprocess.run([*docker, "run", "-d", "--name", "box", "--network", "none", "box:latest", "sleep", "10000"],
                       check=True, **QUIET)
    except subprocess.CalledProcessError:
        stop()
        raise
    return {"docker": [*docker, "exec", "box", "true"]}, stop


def start_peers(work, args, commands, stops):
    for needed, start in ((("podman",), start_podman), (("docker", "dockerd", "skopeo"), start_docker)):
        if not all(have(program) for program in needed):
            continue
        try:
            more, stop = start(work, args)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            print(f"  {needed[0]} left out: {error}", file=sys.stderr)
            continue
        commands.update(more)
        stops.append(stop)


def measure(commands, rounds):
    """Each round begins with another one, after a pause: an engine still clears up when its client has ended, which must
    not be the next one's burden."""
    figures = {name: [] for name in commands}
    names = list(commands)
    for number in range(rounds + 2):
        for name in names[number % len(names):] + names[:number % len(names)]:
            time.sleep(SETTLE_SECONDS)
            wall, cpu = timed(commands[name])
            if number >= 2: # the first ones warm up
                figures[name].append((wall, cpu))
    return figures


def rows_of(figures):
    rows = []
    ours = [wall for wall, _ in figures["wincontainer"]]
    for name, values in figures.items():
        walls = [wall for wall, _ in values]
        rows.append({"name": name, "wall": statistics.median(walls), "low": min(walls), "high": max(walls),
                     "cpu": statistics.median(cpu for _, cpu in values), "rss_mb": 0,
                     "client_only": name in ("docker", "podman", "wincontainer"),
                     "ratio": statistics.median(o / w for o, w in zip(ours, walls))})
    return sorted(rows, key=lambda row: row["wall"])


def show(title, rows):
    print(f"\n{title}\n  {'':16}{'median ms':>10}{'min':>9}{'max':>9}{'ours / it':>11}")
    for row in rows:
        print(f"  {row['name']:16}{row['wall'] * 1e3:10.2f}{row['low'] * 1e3:9.2f}{row['high'] * 1e3:9.2f}{row['ratio']:11.2f}")


def run(args):
    work = tempfile.mkdtemp(prefix="wc-exec-", dir=args.work)
    os.environ["TMPDIR"] = work
    stops = [lambda: stop_ours(work, args)]
    try:
        subprocess.run([sys.executable, os.path.join(HERE, "../support/busybox_image.py"), f"{work}/image", "box"], check=True)
        commands = start_ours(work, args)
        start_peers(work, args, commands, stops)
        return {"title": f"exec true in a container that runs, over {args.runtime}",
                "rows": rows_of(measure(commands, args.rounds))}
    finally:
        for stop in stops:
            stop()
        subprocess.run(f"awk '$2 ~ \"^{work}/\" {{print $2}}' /proc/mounts | sort -r | xargs -r umount -l", shell=True,
                       check=False, **QUIET)
        shutil.rmtree(work, ignore_errors=True)


def bench(build, work, rounds):
    """Rows for each runtime that is there, for bench.py. crun gets control groups that it takes."""
    results = []
    for runtime, wrapper in (("runc", []), ("crun", [os.path.join(HERE, "../support/with_crun.sh")])):
        if not have(runtime):
            continue
        done = subprocess.run([*wrapper, sys.executable, os.path.abspath(__file__), "--build", build, "--runtime", runtime,
                               "--work", work, "--rounds", str(rounds), "--json"], check=False, stdout=subprocess.PIPE,
                              text=True)
        if done.returncode:
            print(f"  exec over {runtime}: left out", file=sys.stderr)
            continue
        results.append(json.loads(done.stdout))
        show(results[-1]["title"], results[-1]["rows"])
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--runtime", choices=("runc", "crun"), default="runc")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--work", default="/dev/shm")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    result = run(args)
    if args.json:
        json.dump(result, sys.stdout)
    else:
        show(result["title"], result["rows"])


if __name__ == "__main__":
    main()
