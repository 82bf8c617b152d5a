# SPDX-License-Identifier: Apache-2.0
"""The guest's kernel, initial RAM disk and root: Debian's kernel, and a file system made of the packages that this
host has installed, so that what was built here runs there. Made once for each set of versions, kept in a directory."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

KERNEL = "linux-image-cloud-amd64"
PACKAGES = """aardvark-dns apparmor attr base-files base-passwd bash busybox-static ca-certificates coreutils crun dash
dbus diffutils findutils gawk|mawk grep hostname iproute2 iptables kmod libarchive13 libc-bin libcap2-bin libcurl4 libisal2
libjansson4 libsqlite3-0 libssl3 libzstd1 login mount netavark passwd procps python3 runc sed slirp4netns systemd
systemd-sysv tar tini uidmap util-linux zlib1g""".split()
LEFT_OUT = re.compile(r"/usr/share/(doc|man|info|locale|lintian|bash-completion)/.|/(boot|proc|sys|dev|run|tmp)/.|"
                      r".*\.pyc$|/usr/lib/systemd/system/.*\.wants/(getty|systemd-(update|hwdb|pcr|boot)).*")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
MODULES = ("virtio_pci", "virtio_blk")
SERVICES, SCRIPTS = ("guest.service", "guest-trees.service"), ("trees.sh", "work.sh")
MASKED = ("getty.target", "serial-getty@ttyS0.service", "systemd-timesyncd.service", "e2scrub_reap.service")
CONFIGURATION = ("alternatives", "ld.so.conf", "ld.so.conf.d", "nsswitch.conf", "protocols", "services", "debian_version")


class Missing(Exception):
    """Why there cannot be a guest here."""


def output(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more).stdout


class Packages:
    """Those that are installed here."""

    def __init__(self):
        self.needs, self.providers, self.versions = {}, {}, {}
        fields = "${Package}\t${db:Status-Abbrev}\t${Version}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
        for line in output("dpkg-query", "-W", "-f", fields).splitlines():
            name, status, version, needs, provides = line.split("\t")
            if status.strip() != "ii":
                continue
            self.versions[name] = version
            self.needs[name] = [[self.bare(one) for one in group.split("|")] for group in needs.split(",") if group.strip()]
            for one in filter(None, map(self.bare, provides.split(","))):
                self.providers.setdefault(one, name)

    @staticmethod
    def bare(text):
        return re.sub(r"[:( ].*", "", text.strip())

    def installed(self, names):
        for name in names:
            if name in self.versions:
                return name
            if name in self.providers:
                return self.providers[name]
        raise Missing(f"the package {' or '.join(names)} is not installed")

    def closure(self, names):
        """With all that they depend on."""
        found, todo = set(), [self.installed(name.split("|")) for name in names]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [self.installed(group) for group in self.needs[name]]
        return sorted(found)


def kernel_package():
    """The package that the name stands for today, and its version."""
    def candidate():
        shown = subprocess.run(["apt-cache", "show", "--no-all-versions", KERNEL], capture_output=True, text=True).stdout
        return re.search(r"^Depends:.*?(linux-image-[^ ,]+) \(= ([^)]+)\)", shown, re.M)
    if not shutil.which("apt-get"):
        raise Missing("no apt-get to get Debian's kernel with")
    found = candidate()
    if not found:
        subprocess.run(["apt-get", "update"], capture_output=True)
        found = candidate()
    if not found:
        raise Missing(f"no package {KERNEL}")
    return found.groups()


def get_kernel(package, version, directory):
    """Unpacks it, without installing it on this host."""
    def download():
        return subprocess.run(["apt-get", "download", f"{package}={version}"], cwd=directory, capture_output=True,
                              text=True)
    done = download()
    if done.returncode:
        subprocess.run(["apt-get", "update"], capture_output=True)
        done = download()
    if done.returncode:
        raise Missing(f"{package} cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
    archive = next(name for name in os.listdir(directory) if name.endswith(".deb"))
    output("dpkg-deb", "-x", f"{directory}/{archive}", f"{directory}/kernel")
    os.remove(f"{directory}/{archive}")
    return f"{directory}/kernel"


def modules_with_needs(kernel, names):
    """Files of these modules, each after those that it needs."""
    paths = {name[:-3].replace("-", "_"): os.path.join(top, name)
             for top, _, files in os.walk(f"{kernel}/lib/modules") for name in files if name.endswith(".ko")}
    ordered = []

    def add(name):
        if name not in paths: # built in
            return
        with open(paths[name], "rb") as file:
            needs = re.search(rb"\0depends=([^\0]*)\0", file.read()).group(1).decode()
        for one in filter(None, needs.split(",")):
            add(one.replace("-", "_"))
        if paths[name] not in ordered:
            ordered.append(paths[name])
    for name in names:
        add(name)
    return ordered


def cpio(entries):
    """The "new ASCII" format that kernels unpack: entries of (name, mode, bytes)."""
    out = b""
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def make_initrd(kernel, path):
    """busybox, what drives the disks, and the step into the root."""
    modules = modules_with_needs(kernel, MODULES)
    init = "#!/bin/busybox sh\n/bin/busybox mount -t devtmpfs dev /dev\n"
    init += "".join(f"/bin/busybox insmod /{os.path.basename(module)}\n" for module in modules)
    init += """while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /root && /bin/busybox umount /dev && exec /bin/busybox switch_root /root /sbin/init
"""
    entries = [(name, 0o040755, b"") for name in ("bin", "dev", "root")]
    entries.append(("init", 0o100755, init.encode()))
    for source, name, mode in [("/bin/busybox", "bin/busybox", 0o100755),
                               *((module, os.path.basename(module), 0o100644) for module in modules)]:
        with open(source, "rb") as file:
            entries.append((name, mode, file.read()))
    with open(path, "wb") as file:
        file.write(cpio(entries))


def copy_packages(packages, root):
    for name in MERGED:
        if os.path.islink(f"/{name}"):
            os.makedirs(f"{root}/usr/{name}", exist_ok=True)
            os.symlink(f"usr/{name}", f"{root}/{name}")
    files = [path for path in output("dpkg-query", "-L", *packages).splitlines()
             if path.startswith("/") and path != "/." and not LEFT_OUT.match(path) and os.path.lexists(path)]
    with subprocess.Popen(["tar", "-C", "/", "-c", "--no-recursion", "-T", "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as pack:
        with subprocess.Popen(["tar", "-C", root, "-xp", "--keep-directory-symlink"], stdin=pack.stdout) as unpack:
            pack.stdin.write("\n".join(f".{path}" for path in sorted(set(files))).encode())
            pack.stdin.close()
        if pack.wait() or unpack.wait():
            raise Missing("files of the installed packages cannot be copied")


def copy_alternatives(root):
    """Links that no package has, such as iptables."""
    for directory in ("usr/bin", "usr/sbin"):
        for name in os.listdir(f"/{directory}"):
            path = f"/{directory}/{name}"
            if not os.path.islink(path) or not os.readlink(path).startswith("/etc/alternatives/"):
                continue
            if os.path.exists(root + os.path.realpath(path)) and not os.path.lexists(f"{root}{path}"):
                os.symlink(os.readlink(path), f"{root}{path}")


def write(root, path, text, mode=0o644):
    os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
    with open(f"{root}/{path}", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(f"{root}/{path}", mode)


def configure(root, kernel):
    """What the packages' own scripts would have done, and the service that does what is asked of the guest."""
    here = os.path.dirname(os.path.abspath(__file__))
    for name in ("proc", "sys", "dev", "run", "tmp", "root", "mnt", "var/tmp", "var/lib/guest", "var/log/journal"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    for name in ("tmp", "var/tmp"):
        os.chmod(f"{root}/{name}", 0o1777)
    for name in CONFIGURATION:
        if os.path.lexists(f"/etc/{name}"):
            subprocess.run(["cp", "-a", f"/etc/{name}", f"{root}/etc/"], check=True)
    copy_alternatives(root)
    users = [("root", 0, "/root"), ("messagebus", 101, "/nonexistent"), ("systemd-network", 102, "/nonexistent"),
             ("systemd-timesync", 103, "/nonexistent"), ("systemd-resolve", 104, "/nonexistent"),
             ("tester", 1001, "/home/tester"), ("nobody", 65534, "/nonexistent")]
    groups = "adm tty disk mail kmem sudo dialout cdrom floppy audio video plugdev users input render kvm sgx utmp staff"
    write(root, "etc/passwd", "".join(f"{name}:x:{number}:{number}::{home}:/bin/sh\n" for name, number, home in users))
    write(root, "etc/group", "".join([*(f"{name}:x:{number}:\n" for name, number, _ in users),
                                      *(f"{name}:x:{number}:\n" for number, name in enumerate(groups.split(), 4) if name),
                                      "systemd-journal:x:105:\nnogroup:x:65533:\nshadow:x:42:\n"]))
    write(root, "etc/shadow", "root:*:19000:0:99999:7:::\n", 0o640)
    write(root, "etc/subuid", "tester:100000:65536\n")
    write(root, "etc/subgid", "tester:100000:65536\n")
    write(root, "etc/hostname", "guest\n")
    write(root, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 guest\n")
    write(root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    write(root, "etc/fstab", "")
    os.makedirs(f"{root}/home/tester", exist_ok=True)
    os.chown(f"{root}/home/tester", 1001, 1001)
    os.makedirs(f"{root}/var/lib/apparmor", exist_ok=True)
    version = os.listdir(f"{kernel}/lib/modules")[0]
    shutil.copytree(f"{kernel}/lib/modules", f"{root}/usr/lib/modules", symlinks=True)
    output("depmod", "-b", root, version)
    output("ldconfig", "-r", root)
    units = f"{root}/etc/systemd/system"
    os.makedirs(f"{root}/usr/lib/guest")
    os.makedirs(f"{units}/multi-user.target.wants", exist_ok=True)
    for name in SERVICES:
        shutil.copy(f"{here}/{name}", f"{units}/{name}")
        os.symlink(f"../{name}", f"{units}/multi-user.target.wants/{name}")
    for name in SCRIPTS:
        shutil.copy(f"{here}/{name}", f"{root}/usr/lib/guest/{name}")
    for name in MASKED:
        os.symlink("/dev/null", f"{units}/{name}")
    os.symlink("/usr/lib/systemd/system/multi-user.target", f"{units}/default.target")


def make_disk(tree, path, spare):
    """An ext4 file system of what is in a directory, with so many MiB to spare."""
    used = int(output("du", "-sm", "--apparent-size", tree).split()[0])
    with open(path, "wb") as file:
        file.truncate((used * 5 // 4 + spare) << 20)
    output("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1", "-d", tree, path)


def key(packages, names, kernel):
    """Says of what it is made."""
    digest = hashlib.sha256(repr((kernel, [(name, packages.versions[name]) for name in names])).encode())
    here = os.path.dirname(os.path.abspath(__file__))
    for name in ("image.py", *SERVICES, *SCRIPTS):
        with open(f"{here}/{name}", "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:16]


def image(cache):
    """The directory with vmlinuz, initrd and root.img; raises Missing."""
    for program in ("mke2fs", "dpkg-query", "depmod", "tar"):
        if not shutil.which(program):
            raise Missing(f"no {program}")
    packages = Packages()
    names, kernel = packages.closure(PACKAGES), kernel_package()
    made = f"{cache}/{key(packages, names, kernel)}"
    if os.path.exists(made):
        return made
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="new-") as work:
        unpacked = get_kernel(*kernel, work)
        os.makedirs(f"{work}/whole")
        os.makedirs(f"{work}/root")
        vmlinuz = next(name for name in os.listdir(f"{unpacked}/boot") if name.startswith("vmlinuz"))
        shutil.copy(f"{unpacked}/boot/{vmlinuz}", f"{work}/whole/vmlinuz")
        make_initrd(unpacked, f"{work}/whole/initrd")
        copy_packages(names, f"{work}/root")
        configure(f"{work}/root", unpacked)
        make_disk(f"{work}/root", f"{work}/whole/root.img", 1024)
        for old in os.listdir(cache):
            if not old.startswith("new-"):
                shutil.rmtree(f"{cache}/{old}")
        os.rename(f"{work}/whole", made)
    return made


if __name__ == "__main__":
    import sys
    print(image(sys.argv[1]))
