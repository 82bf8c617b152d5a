# SPDX-License-Identifier: Apache-2.0
"""Containers: one that ends at once, beside the bare runtime and others; the same from C; many at a time; logs;
copies of trees. All of it in a network namespace of its own (run.sh makes it)."""
import concurrent.futures
import filecmp
import glob
import json
import os
import random
import statistics
import subprocess
import sys
import time

import contenders
from contenders import QUIET, have, rounds, spawned, summary, timed

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../support")
from store_remains import Remains  # found where the line above says

MIB = 1024 * 1024
# The most that the median of our ratio to each may be.
RUN_LIMITS = {"runc": 1.8, "crun": 2.2, "podman": 0.30, "docker": 0.20}
CYCLE_LIMITS = {"runc": 1.5, "crun": 2.0}
MANY, BATCH = 300, 10
MANY_LIMITS = {"podman": 1 / 3}
MEMORY_LIMIT_MIB, PS_LIMIT_S = 3, 0.030
LOG_BYTES, LOG_RATE = 240 * MIB, 50 * MIB
SECONDS = "100000"


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def quietly(command):
    subprocess.run(command, check=True, **QUIET)


# ---- Who takes part -----------------------------------------------------------------------------------

class Bare:
    """The runtime alone, with a document that we made for the same command, on a root that is there already."""

    def __init__(self, runtime, ours, place):
        self.name, self.place, self.number = runtime, place, 0
        os.makedirs(f"{place}/rootfs")
        container = output(ours.start("-d", "--network", "none", ours.box, "sleep", SECONDS)).strip()
        with open(f"{ours.dir}/run/containers/{container}/config.json", encoding="utf-8") as file:
            document = json.load(file)
        for mount in document["mounts"]:
            if mount["source"].startswith("/"):
                quietly(["cp", mount["source"], place])
                mount["source"] = f"{place}/{os.path.basename(mount['source'])}"
        document["process"]["args"] = ["true"]
        document["root"]["path"] = f"{place}/rootfs"
        document["linux"]["cgroupsPath"] = f"/wc-bench-{runtime}"
        with open(f"{place}/config.json", "w", encoding="utf-8") as file:
            json.dump(document, file)
        quietly(ours.command("export", "-o", f"{place}/root.tar", container))
        quietly(["tar", "-xf", f"{place}/root.tar", "-C", f"{place}/rootfs"])
        quietly(ours.command("rm", "-f", container))

    def once(self):
        self.number += 1
        return [have(self.name), "--root", f"{self.place}/state", "run", "--bundle", self.place, f"b{self.number}"]


def once(contender):
    if isinstance(contender, Bare):
        return contender.once()
    return contender.start("--rm", "--network", "none", contender.box, "true")


class Box:
    """The image, and all engines that have it, over one runtime."""

    def __init__(self, work, runtime):
        self.dir, self.runtime, self.engines = os.path.join(work, f"over-{runtime}"), runtime, []
        os.makedirs(self.dir)
        self.archives = {"oci": f"{self.dir}/box.oci.tar", "docker": f"{self.dir}/box.docker.tar"}
        quietly([sys.executable, f"{HERE}/../support/busybox_image.py", f"{self.dir}/layout", "box"])
        for kind, name in (("oci", "box"), ("docker", "box:latest")):
            quietly(["skopeo", "--insecure-policy", "copy", "-q", f"oci:{self.dir}/layout:box",
                     f"{kind}-archive:{self.archives[kind]}:{name}"])
        self.ours = self.add(contenders.Ours)
        for kind in (contenders.Podman, contenders.Docker):
            self.add(kind)
        self.bare = Bare(runtime, self.ours, f"{self.dir}/bundle")

    def add(self, kind):
        engine = kind(self.dir, None)
        engine.runtime = self.runtime
        if not engine.available():
            return None
        engine.reset()
        engine.load(self.archives)
        self.engines.append(engine)
        return engine

    def close(self):
        for engine in self.engines:
            engine.close()


# ---- One that ends at once ----------------------------------------------------------------------------

def bench_run(box, count):
    everyone = box.engines + [box.bare]
    return summary(f"run --rm --network none IMAGE true, over {box.runtime}",
                   rounds(count, everyone, lambda c: None, once, spawned), box.ours.name, RUN_LIMITS)


def bench_cycle(box, build, count):
    lines = output([f"{build}/tests/bench_cycle", f"{box.ours.dir}/root", f"{box.ours.dir}/run", box.runtime,
                    box.ours.box, str(count), box.bare.place]).splitlines()
    results = {box.ours.name: [], box.runtime: []}
    for line in lines:
        for name, time_ns in zip(results, line.split()):
            results[name].append({"wall": int(time_ns) / 1e9, "cpu": 0, "rss": 0})
    return summary(f"create, start, wait and remove from C, beside run of the bare {box.runtime}", results,
                   box.ours.name, CYCLE_LIMITS)


# ---- Many at a time -----------------------------------------------------------------------------------

def proportional_kib(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def processes_called(*names):
    found = []
    for path in glob.glob("/proc/[0-9]*/exe"):
        try:
            if os.path.basename(os.readlink(path)) in names:
                found.append(int(path.split("/")[2]))
        except OSError:
            continue
    return found


def helpers_of(engine):
    """Processes that stand beside containers, and those that there is one of."""
    if engine.name == "podman":
        return processes_called("conmon"), []
    if engine.name == "docker":
        return processes_called("containerd-shim-runc-v2"), processes_called("dockerd", "containerd")
    return Remains(f"{engine.dir}/root", f"{engine.dir}/run").monitors(), []


def start_batch(engine, network):
    """Two at a time, as many as the processors that the figure is for."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        begin = time.monotonic()
        words = engine.start("-d", "--network", network, engine.box, "sleep", SECONDS)
        ids = list(pool.map(lambda _: output(words).strip(), range(BATCH)))
        return {"wall": time.monotonic() - begin, "cpu": 0, "rss": 0}, ids


def start_many(engines, network):
    results, ids = {e.name: [] for e in engines}, {e.name: [] for e in engines}
    for number in range(MANY // BATCH):
        for engine in engines:
            figures, started = start_batch(engine, network)
            results[engine.name].append(figures)
            ids[engine.name] += started
        print(f"  {(number + 1) * BATCH} of {MANY} run", file=sys.stderr)
    return results, ids


def medians(count, call):
    figures = []
    for _ in range(count):
        figures.append(call()["wall"])
    return statistics.median(figures)


def look(engine):
    each, shared = helpers_of(engine)
    ps = medians(21, lambda: spawned(engine.command("ps")))
    kib = sum(map(proportional_kib, each))
    return {"name": engine.name, "helpers": len(each), "mib_each": kib / 1024 / MANY, "ps_s": ps,
            "daemons_mib": sum(map(proportional_kib, shared)) / 1024}


def end_many(engine, ids):
    stop = timed(engine.command("stop", "-t", "0", *ids))["wall"]
    return stop, timed(engine.command("rm", *ids))["wall"]


def network_remains():
    links = [one["ifname"] for one in json.loads(output(["ip", "-j", "link"]))]
    return [name for name in links if name.startswith(("veth", "wc-"))]


def remains(engine, ids):
    """What of ours is still there."""
    all_of = Remains(f"{engine.dir}/root", f"{engine.dir}/run")
    for _ in range(50):
        if not all_of.monitors():
            break
        time.sleep(0.1)
    rows = output(["sqlite3", f"{engine.dir}/root/db.sqlite", "SELECT container FROM leases UNION ALL SELECT container FROM "
                   "endpoints UNION ALL SELECT container FROM ports UNION ALL SELECT id FROM containers"]) if have("sqlite3") \
        else ""
    return {"monitors": all_of.monitors(), "mounts": all_of.mounts(), "control groups": all_of.control_groups(set(ids)),
            "files": glob.glob(f"{engine.dir}/root/containers/*") + glob.glob(f"{engine.dir}/run/containers/*") +
                     glob.glob(f"{engine.dir}/run/runtime/*"),
            "interfaces": network_remains(), "rows": rows.split()}


def bench_many(box, network):
    engines = [e for e in box.engines if network == "none" or e is box.ours]
    results, ids = start_many(engines, network)
    table = summary(f"{BATCH} more of {MANY} that run, two started at a time, --network {network}", results, box.ours.name,
                    MANY_LIMITS)
    looks = [look(engine) for engine in engines]
    for one, engine in zip(looks, engines):
        one["stop_s"], one["rm_s"] = end_many(engine, ids[engine.name])
    print(f"\n  {MANY} that run    MiB beside each   daemons MiB   ps ms    stop all s   rm all s")
    for one in looks:
        print(f"  {one['name']:16}{one['mib_each']:14.2f}{one['daemons_mib']:14.1f}{one['ps_s'] * 1000:8.1f}"
              f"{one['stop_s']:14.2f}{one['rm_s']:11.2f}")
    print(f"  limits of ours: {MEMORY_LIMIT_MIB} MiB beside each, ps in {PS_LIMIT_S * 1000:.0f} ms")
    if network != "none":
        quietly(box.ours.command("network", "prune", "-f"))
    left = {what: things for what, things in remains(box.ours, ids[box.ours.name]).items() if things}
    print(f"  left of ours: {json.dumps(left)[:400] if left else 'nothing'}")
    table["many"], table["left"] = looks, left
    return table


# ---- Logs ---------------------------------------------------------------------------------------------

def make_lines(path):
    number = size = 0
    with open(path, "w", encoding="ascii") as file:
        while size < LOG_BYTES:
            lines = "".join(f"{n:09} the quick brown fox jumps over the lazy dog, and once more over it\n"
                            for n in range(number, number + 10000))
            size += file.write(lines)
            number += 10000


def bench_logs(box, work, count):
    """From the start to the end that is told; what was kept is compared with what was written."""
    made = f"{work}/lines"
    make_lines(made)
    last = {}

    def write_all(engine):
        words = engine.start("-d", "-v", f"{made}:/lines:ro", "--network", "none", engine.box, "cat", "/lines")
        begin = time.monotonic()
        last[engine.name] = output(words).strip()
        wait = ["wait"] + (["--interval", "20"] if engine.name == "podman" else [])
        quietly(engine.command(*wait, last[engine.name]))
        return {"wall": time.monotonic() - begin, "cpu": 0, "rss": 0}

    results = {engine.name: [] for engine in box.engines}
    whole = {}
    for number in range(count):
        for engine in box.engines:
            results[engine.name].append(write_all(engine))
            with open(f"{work}/read", "wb") as file:
                subprocess.run(engine.command("logs", last[engine.name]), check=True, stdout=file)
            same = filecmp.cmp(made, f"{work}/read", shallow=False)
            whole[engine.name] = whole.get(engine.name, True) and same
            quietly(engine.command("rm", last[engine.name]))
        print(f"  round {number + 1} of {count} done", file=sys.stderr)
    table = summary(f"{LOG_BYTES // MIB} MiB of log lines, to the end of the container", results, box.ours.name)
    for name, figures in results.items():
        rate = LOG_BYTES / MIB / statistics.median(f["wall"] for f in figures)
        print(f"  {name:16}{rate:8.0f} MiB/s  {'every line is there' if whole[name] else 'LINES ARE LOST OR TORN'}")
    print(f"  limit of ours: {LOG_RATE // MIB} MiB/s")
    table["whole"] = whole
    return table


# ---- Copies -------------------------------------------------------------------------------------------

def make_tree(path):
    """1 GB: 12,000 small files and 30 large ones, of bytes that do not compress."""
    chance = random.Random(1)
    some = chance.randbytes(MIB)
    for number in range(12000):
        folder = f"{path}/small/{number % 200}"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{number}", "wb") as file:
            begin = chance.randrange(MIB // 2)
            file.write(some[begin:begin + chance.randrange(1024, 65536)])
    os.makedirs(f"{path}/large")
    for number in range(30):
        with open(f"{path}/large/{number}", "wb") as file:
            file.write(some * 20)


def bench_copy(box, work, count):
    tree, name = f"{work}/tree", "copies"
    make_tree(tree)
    for engine in box.engines:
        quietly(engine.start("-d", "--name", name, "--network", "none", engine.box, "sleep", SECONDS))

    def clear_inside(engine):
        quietly(engine.command("exec", name, "rm", "-rf", "/tree"))

    def clear_outside(_):
        quietly(["rm", "-rf", f"{work}/out"])

    tables = [summary("cp of 1 GB into a running container",
                      rounds(count, box.engines, clear_inside, lambda e: e.command("cp", tree, f"{name}:/tree")),
                      box.ours.name),
              summary("cp of 1 GB out of it",
                      rounds(count, box.engines, clear_outside, lambda e: e.command("cp", f"{name}:/tree", f"{work}/out")),
                      box.ours.name)]
    for engine in box.engines:
        clear_outside(engine)
        quietly(engine.command("cp", f"{name}:/tree", f"{work}/out"))
        same = subprocess.run(["diff", "-r", tree, f"{work}/out"], check=False, **QUIET).returncode == 0
        print(f"  {engine.name:16}{'the same came back' if same else 'ANOTHER TREE CAME BACK'}")
        quietly(engine.command("rm", "-f", name))
    return tables


# ---- The whole ----------------------------------------------------------------------------------------

KINDS = ("run", "cycle", "many", "logs", "cp")


def bench_over(box, work, build, count, only):
    wanted = [only] if only else KINDS
    tables = []
    if "run" in wanted:
        tables.append(bench_run(box, max(count, 25)))
    if "cycle" in wanted:
        tables.append(bench_cycle(box, build, max(count, 50)))
    if box.runtime == "runc" and "many" in wanted:
        tables.append(bench_many(box, "none"))
        tables.append(bench_many(box, "bridge"))
    if box.runtime == "runc" and "logs" in wanted:
        tables.append(bench_logs(box, work, count))
    if box.runtime == "runc" and "cp" in wanted:
        tables += bench_copy(box, work, count)
    return tables


def bench(work, build, count, only):
    """The tables of what is wanted, all of it when `only` is None."""
    tables = []
    for runtime in ("runc", "crun"):
        if not have(runtime):
            continue
        box = Box(work, runtime)
        try:
            tables += bench_over(box, work, build, count, only)
        finally:
            box.close()
    return tables
