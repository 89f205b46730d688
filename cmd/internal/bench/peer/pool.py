"""Python's process pools doing what brood's table measures.

One JSON object on standard input says what; one comes out:
  {"what": "throughput", "how": "apply", "workers": 2, "size": 64, "seconds": 1}
  {"what": "alone", "how": "pool" or "executor", "size": 64, "seconds": 1}
  {"what": "fresh", "workers": 2, "seconds": 1}     a process for each task
  {"what": "spawn", "how": "fork" or "spawn"}       until the first answer
  {"what": "rss"}                                   of an idle worker of a pool
"""

import concurrent.futures
import json
import multiprocessing
import os
import sys
import threading
import time
from collections import deque


def echo(payload):
    return payload


def check(reply, payload):
    if reply != payload:
        sys.exit("another answer than the payload")


def rate(steps, seconds):
    """Steps yields how many tasks were answered since the last time."""
    start, first, done = time.perf_counter(), None, 0
    for n in steps:
        now = time.perf_counter()
        if first is None:
            if now - start >= seconds / 4:  # warmed up
                first = now
            continue
        done += n
        if now - first >= seconds:
            return done / (now - first)


def apply(pool, payload):
    while True:
        check(pool.apply(echo, (payload,)), payload)
        yield 1


def windowed(submit, result, payload, window):
    waiting = deque(submit(payload) for _ in range(window))
    while True:
        check(result(waiting.popleft()), payload)
        waiting.append(submit(payload))
        yield 1


def imap(pool, payload, chunk, window):
    # A pool reads the input of imap without end, so this holds it back.
    room, over = threading.Semaphore(window), threading.Event()

    def tasks():
        while room.acquire() and not over.is_set():
            yield payload

    try:
        for reply in pool.imap_unordered(echo, tasks(), chunk):
            check(reply, payload)
            room.release()
            yield 1
    finally:
        # Or the pool would wait for its input's end.
        over.set()
        room.release(chunk)


def throughput(how, workers, size, seconds):
    payload = b"x" * size
    window = max(workers, min(256 * workers, (64 << 20) // max(1, size)))
    if how == "executor":
        with concurrent.futures.ProcessPoolExecutor(workers) as pool:
            steps = windowed(lambda p: pool.submit(echo, p), lambda f: f.result(), payload, window)
            return rate(steps, seconds)
    with multiprocessing.Pool(workers) as pool:
        if how == "apply":
            steps = apply(pool, payload)
        elif how == "apply_async":
            steps = windowed(lambda p: pool.apply_async(echo, (p,)), lambda r: r.get(), payload, window)
        else:
            chunk = 64 if how == "imap64" else 1
            steps = imap(pool, payload, chunk, max(window, 4 * chunk * workers))
        value = rate(steps, seconds)
        steps.close()
        return value


def alone(how, size, seconds):
    payload, took = b"x" * size, []

    def run(call):
        start = time.perf_counter()
        while time.perf_counter() - start < seconds * 1.25:
            began = time.perf_counter()
            check(call(), payload)
            if began - start >= seconds / 4:
                took.append(time.perf_counter() - began)

    if how == "executor":
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            run(lambda: pool.submit(echo, payload).result())
    else:
        with multiprocessing.Pool(1) as pool:
            run(lambda: pool.apply(echo, (payload,)))
    took.sort()
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}


def fresh(workers, seconds):
    with multiprocessing.Pool(workers, maxtasksperchild=1) as pool:
        steps = windowed(lambda p: pool.apply_async(echo, (p,)), lambda r: r.get(), b"x", 4 * workers)
        return rate(steps, seconds)


def say(pipe):
    pipe.send(1)


def spawn(how):
    context = multiprocessing.get_context(how)
    ours, theirs = context.Pipe()
    began = time.perf_counter()
    process = context.Process(target=say, args=(theirs,))
    process.start()
    ours.recv()
    took = time.perf_counter() - began
    process.join()
    return took


def rss():
    with multiprocessing.Pool(1) as pool:
        pid = pool.apply(os.getpid)
        with open(f"/proc/{pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def main():
    ask = json.load(sys.stdin)
    what = {"throughput": throughput, "alone": alone, "fresh": fresh, "spawn": spawn, "rss": rss}[ask.pop("what")]
    print(json.dumps({"value": what(**ask)}))


if __name__ == "__main__":
    main()
