# SPDX-License-Identifier: Apache-2.0
"""What a store leaves on its host: monitors, mounts, control groups, files."""
import glob
import os


class Remains:
    """Of the store at `root`, whose run root is `run_root`."""

    def __init__(self, root, run_root):
        self.root, self.run_root = root, run_root

    def monitors(self):
        """Process ids of its monitors."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                exe, place = os.readlink(f"/proc/{pid}/exe"), os.readlink(f"/proc/{pid}/cwd")
                if os.path.basename(exe).startswith("wc-helper") and place.startswith(self.run_root):
                    found.append(int(pid))
            except OSError:
                continue
        return found

    def mounts(self):
        """Those that the host sees."""
        with open("/proc/mounts", encoding="utf-8") as mounts:
            return [line for line in mounts if self.root in line or self.run_root in line]

    @staticmethod
    def control_groups(ids):
        """Of containers with these ids."""
        groups = glob.glob("/sys/fs/cgroup/wincontainer/*") + glob.glob("/sys/fs/cgroup/*/wincontainer/*")
        return [group for group in groups if os.path.basename(group) in ids]

    def files(self):
        """Files, and directories that belong to one thing, of all that goes when its owner goes."""
        left = []
        for folder in ("blobs", "trees", "links", "staging", "ingest", "containers"):
            for base, _, files in os.walk(f"{self.root}/{folder}"):
                left += [os.path.join(base, f) for f in files]
                left += [base] if base.count("/") > self.root.count("/") + 2 else []
        return left
