#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Map = exports = headers: the symbols that the headers declare, that the version map names, and that
the shared library exports must be the same. Also holds the rules of the map: every symbol by name, no
pattern but the closing `local: *`.

usage: symbols.py SOURCE_DIR LIBRARY
       symbols.py SOURCE_DIR --print     the declared symbols, to write a new node from
"""
import glob
import os
import re
import subprocess
import sys


def declared(source):
    found = {}
    for header in sorted(glob.glob(os.path.join(source, "include/wincontainer/*.h"))):
        text = re.sub(r"/\*.*?\*/", "", open(header, encoding="utf-8").read(), flags=re.S)
        for statement in re.findall(r"\bWC_API\b([^;{]*);", text):
            name = re.search(r"\b(wc_\w+)\s*\(", statement)
            if not name:
                sys.exit(f"{header}: cannot read a declaration:{statement}")
            if name.group(1) in found:
                sys.exit(f"{header}: {name.group(1)} is declared twice")
            found[name.group(1)] = header
    return found


def mapped(source):
    text = open(os.path.join(source, "lib/wincontainer.map"), encoding="utf-8").read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    symbols, nodes = {}, []
    for node, body in re.findall(r"(\w+(?:\.\w+)*)\s*\{(.*?)\}", text, flags=re.S):
        nodes.append(node)
        for word in re.findall(r"[\w*?\[\]]+(?=\s*;)", body.replace("global:", "").replace("local:", "")):
            if word == "*":
                continue
            if not re.fullmatch(r"wc_\w+", word):
                sys.exit(f"wincontainer.map: '{word}' in {node} is not a plain symbol name")
            if word in symbols:
                sys.exit(f"wincontainer.map: {word} stands in {symbols[word]} and in {node}")
            symbols[word] = node
    return symbols, nodes


def exported(library):
    output = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    names = set()
    for line in output.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":  # the version nodes themselves
            names.add(name)
    return names


def main():
    source = sys.argv[1]
    headers = declared(source)
    if sys.argv[2] == "--print":
        print("\n".join(f"    {name};" for name in sorted(headers)))
        return 0
    symbols, nodes = mapped(source)
    exports = exported(sys.argv[2])
    problems = [f"declared in {os.path.basename(headers[n])}, not in the map: {n}" for n in sorted(set(headers) - set(symbols))]
    problems += [f"in the map, not declared: {n}" for n in sorted(set(symbols) - set(headers))]
    for name in sorted(exports):
        plain, _, version = name.partition("@@")
        if plain not in symbols:
            problems.append(f"exported, not in the map: {name}")
        elif version != symbols[plain]:
            problems.append(f"exported with version '{version}', in the map under {symbols[plain]}: {plain}")
    plain_exports = {name.partition("@@")[0] for name in exports}
    problems += [f"in the map, not exported: {n}" for n in sorted(set(symbols) - plain_exports)]
    print("\n".join(problems) if problems else f"symbols: {len(symbols)} in {', '.join(nodes)}: map = exports = headers")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
