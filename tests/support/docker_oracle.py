# SPDX-License-Identifier: Apache-2.0
"""Docker as the measure: a dockerd of the test's own, with network, mounts and directories of its own, so that neither the
host nor another dockerd notices, and a runtime that shows the document it was given before it runs it."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

SPY = """#!/bin/sh
bundle= before=
for word in "$@"; do
    [ "$before" = --bundle ] && bundle=$word
    before=$word
done
case " $* " in *" create "*) cp "$bundle/config.json" "{place}/config.json" ;; esac
exec {runc} "$@"
"""


def missing():
    """What is not there, or None."""
    for program in ("docker", "dockerd", "containerd", "runc"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"{program} is not installed"
    return None


class Docker:
    """Inside of the namespaces that inside() makes."""

    def __init__(self, place, networks=False):
        self.place = place
        path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
        self.env = {**os.environ, "PATH": path, "DOCKER_HOST": "unix:///run/docker.sock",
                    "DOCKER_CONFIG": f"{place}/config", "DOCKER_CLI_HINTS": "false"}
        spy = f"{place}/spy"
        with open(spy, "w", encoding="utf-8") as file:
            file.write(SPY.format(place=place, runc=shutil.which("runc", path=path)))
        os.chmod(spy, 0o755)
        with open(f"{place}/dockerd.log", "wb") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", "--data-root", f"{place}/data", "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid",
                 "-H", "unix:///run/docker.sock", "--add-runtime", f"spy={spy}", "--default-runtime", "spy",
                 *([] if networks else ["--bridge=none", "--iptables=false", "--ip6tables=false"])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env)
        for _ in range(300):
            if not self.docker("version").returncode:
                return
            time.sleep(0.1)
        with open(f"{place}/dockerd.log", encoding="utf-8") as log:
            raise RuntimeError("dockerd does not answer:\n" + log.read()[-2000:])

    def docker(self, *words, stdin=None):
        return subprocess.run(["docker", *words], env=self.env, input=stdin, capture_output=True, timeout=60)

    def import_image(self, name, tar):
        done = self.docker("import", "-", name, stdin=tar)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())

    def run(self, *words):
        """Exit code and both outputs of `docker run`, and the document that the runtime got (None when it got none)."""
        path = f"{self.place}/config.json"
        if os.path.exists(path):
            os.unlink(path)
        done = self.docker("run", "--rm", "--network", "none", *words)
        document = None
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
        return {"code": done.returncode, "out": done.stdout.decode(), "err": done.stderr.decode(), "document": document}

    def end(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(30)


def ask(place, tar, runs):
    """What Docker makes of each list of words for `docker run`, in which "IMAGE" is the image in the tar."""
    task = json.dumps({"place": place, "tar": tar, "runs": runs})
    done = subprocess.run(["unshare", "-n", "-m", "--propagation", "private", sys.executable, os.path.abspath(__file__)],
                          input=task, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def inside():
    task = json.load(sys.stdin)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    docker = Docker(task["place"])
    try:
        with open(task["tar"], "rb") as file:
            docker.import_image("image", file.read())
        answers = [docker.run(*("image" if word == "IMAGE" else word for word in run)) for run in task["runs"]]
    finally:
        docker.end()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    inside()
