#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an OCI layout with an image as Windows has it: a base layer (Files, Hives, UtilityVM) and one above it.

    windows_image.py DIR TAG [--compression gzip|none] [--foreign URL]

The entries are as hcsshim writes them: pax records MSWINDOWS.* and LIBARCHIVE.creationtime, alternate streams behind
their files, junctions, hard links, whiteouts. With --foreign the base layer is one that may not be distributed, and lies
at URL. Prints what there is, as JSON.
"""
import argparse
import base64
import gzip
import hashlib
import io
import json
import tarfile

from make_layout import Layout

OCI = "application/vnd.oci.image."
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
# Owner and group are the built-in users.
SECURITY = "AQAAgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAhAgAAAQIAAAAAAAUgAAAAIQIAAA=="
TIME = "1683000000.1234567"


class LayerTar:
    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, kind, data=b"", link="", attributes=None, **records):
        info = tarfile.TarInfo(name)
        info.type, info.size, info.linkname = kind, len(data), link
        info.mode = 0o40000 if kind == tarfile.DIRTYPE else 0
        info.pax_headers = {"mtime": TIME, "atime": TIME, "ctime": TIME}
        if attributes is not None:
            info.pax_headers.update({"LIBARCHIVE.creationtime": TIME, "MSWINDOWS.fileattr": str(attributes)})
        info.pax_headers.update({f"MSWINDOWS.{key.replace('__', '.')}": value for key, value in records.items()})
        self.tar.addfile(info, io.BytesIO(data))

    def dir(self, name, **records):
        self.add(name, tarfile.DIRTYPE, attributes=16, rawsd=SECURITY, **records)

    def file(self, name, data, **records):
        self.add(name, tarfile.REGTYPE, data, attributes=32, rawsd=SECURITY, **records)

    def stream(self, name, data):
        self.add(name, tarfile.REGTYPE, data)

    def link(self, name, to):
        self.add(name, tarfile.LNKTYPE, link=to, attributes=32)

    def junction(self, name, to):
        self.add(name, tarfile.SYMTYPE, link=to, attributes=1040, rawsd=SECURITY, mountpoint="1")

    def bytes(self):
        self.tar.close()
        return self.out.getvalue()


def base():
    tar = LayerTar()
    for name in ("Files", "Files/Windows", "Files/Windows/System32", "Files/Users", "Hives", "UtilityVM",
                 "UtilityVM/Files", "UtilityVM/Files/EFI"):
        tar.dir(name)
    tar.file("Files/Windows/System32/ntdll.dll", b"MZ ntdll " * 2000)
    tar.stream("Files/Windows/System32/ntdll.dll:Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3\r\n")
    tar.stream("Files/Windows/System32/ntdll.dll:big", b"stream " * 3000)
    tar.file("Files/Windows/notepad.exe", b"MZ notepad " * 500, xattr__KERNEL_PURGE="AAECAw==")
    tar.link("Files/Windows/System32/notepad.exe", "Files/Windows/notepad.exe")
    tar.file("Files/Windows/win.ini", b"[fonts]\r\n")
    tar.add("Files/Windows/old.ini", tarfile.REGTYPE, b"[old]\r\n", attributes=33, sd="O:BAG:SYD:(A;;FA;;;SY)")
    tar.junction("Files/Documents and Settings", "\\??\\C:\\Users")
    tar.add("Files/Users/link", tarfile.SYMTYPE, link="..\\Windows\\win.ini", attributes=1056, rawsd=SECURITY)
    for hive in ("DefaultUser_Base", "Sam_Base", "Security_Base", "Software_Base", "System_Base"):
        tar.file(f"Hives/{hive}", b"regf" + hive.encode() * 300)
    tar.file("UtilityVM/Files/EFI/bootmgfw.efi", b"MZ boot " * 400)
    return tar.bytes()


def delta():
    tar = LayerTar()
    tar.dir("Files")
    tar.dir("Files/app")
    tar.file("Files/app/app.exe", b"MZ app " * 800)
    tar.stream("Files/app/app.exe:notes", b"made here")
    tar.add("Files/Windows/.wh.old.ini", tarfile.REGTYPE)
    tar.dir("Hives")
    tar.file("Hives/Software_Delta", b"regf delta " * 30)
    return tar.bytes()


def make(path, tag, compression="gzip", foreign=None):
    layout = Layout(path)
    pack, suffix = ((lambda data: gzip.compress(data, 1, mtime=0)), "+gzip") if compression == "gzip" else (bytes, "")
    tars = [base(), delta()]
    layers = [layout.put(pack(tar), f"{OCI}layer.v1.tar{suffix}") for tar in tars]
    if foreign:
        layers[0].update(mediaType=FOREIGN, urls=[foreign])
    config = {"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.587", "os.features": ["win32k"],
              "config": {"Cmd": ["c:\\app\\app.exe"]}, "history": [{"created_by": "base"}, {"created_by": "app"}],
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in tars]}}
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                "config": layout.put(json.dumps(config).encode(), OCI + "config.v1+json"), "layers": layers}
    entry = layout.put(json.dumps(manifest, indent=1).encode(), OCI + "manifest.v1+json")
    platform = {key: config[key] for key in ("architecture", "os", "os.version", "os.features")}
    layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})
    layout.write("index.json", {"schemaVersion": 2, "manifests": [
        {**entry, "platform": platform, "annotations": {"org.opencontainers.image.ref.name": tag}}]})
    return {"manifest": entry["digest"], "config": manifest["config"]["digest"], "diff_ids": config["rootfs"]["diff_ids"],
            "layers": [layer["digest"] for layer in layers]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("tag")
    parser.add_argument("--compression", default="gzip")
    parser.add_argument("--foreign")
    o = parser.parse_args()
    print(json.dumps(make(o.dir, o.tag, o.compression, o.foreign)))


if __name__ == "__main__":
    main()
