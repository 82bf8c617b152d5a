#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the table on one contender and writes what came of each line, as JSON. Started by support/netns.sh.

usage: inside.py CONTENDER TASK_FILE RESULT_FILE"""
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import contenders
import table

LINE_SECONDS = 60
HANDS = 3  # cases at a time: many only wait


def end_session(session):
    """All that a line has started, whatever groups they have made."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if int(file.read().rsplit(")", 1)[1].split()[3]) == session:
                    os.kill(int(pid), signal.SIGKILL)
        except OSError:
            continue


def run_line(text, env, folder):
    """[exit code, standard output, standard error]; the code is "timeout" when it does not end."""
    child = subprocess.Popen(["sh", "-c", text], env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = child.communicate(timeout=LINE_SECONDS)
        code = child.returncode
    except subprocess.TimeoutExpired:
        end_session(child.pid)
        out, err = child.communicate()
        code = "timeout"
    return [code, out.decode(errors="replace"), err.decode(errors="replace")]


def run_case(case, contender):
    folder = f"{contender.place}/case{case.number}"
    os.mkdir(folder)
    env = {**contender.env, "CASE": folder}
    answers = []
    for line in case.lines:
        code, out, err = run_line(case.text(line), env, folder)
        answers.append([code, case.plain(out), case.plain(err)])
        if not line.compared and code != 0:
            break
    names = {case.own(word) for line in case.lines for word in table.NAME.findall(line.text)}
    if names:
        contender.docker("rm", "-f", "-v", *sorted(names))
    return answers


def run_all(cases, contender, results):
    """Those that look at everything there is come last, one after the other."""
    waiting = queue.SimpleQueue()
    for case in cases:
        if not case.alone:
            waiting.put(case)

    def hand():
        while True:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                return
            results[case.name] = run_case(case, contender)

    hands = [threading.Thread(target=hand) for _ in range(HANDS)]
    for one in hands:
        one.start()
    for one in hands:
        one.join()
    for case in cases:
        if case.alone:
            contender.sweep()
            results[case.name] = run_case(case, contender)


def main():
    name, task_file, result_file = sys.argv[1:]
    begin = time.monotonic()
    with open(task_file, encoding="utf-8") as file:
        task = json.load(file)
    cases = [case for case in table.read_all(task["cases"]) if case.name in task["names"] and name not in case.without]
    place = f"/run/oracle"
    os.mkdir(place)
    contender, results = contenders.ALL[name](place), {}
    try:
        contender.load(task["images"])
        run_all(cases, contender, results)
    finally:
        contender.end()
    with open(result_file, "w", encoding="utf-8") as file:
        json.dump(results, file)
    used = os.times()
    print(f"{time.monotonic() - begin:.0f} s, processor {sum(used[:4]):.0f} s", end="")


if __name__ == "__main__":
    main()
