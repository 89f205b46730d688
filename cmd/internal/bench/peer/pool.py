"""Python's process pools doing what brood's table measures.

One line of JSON on standard input says what; one comes out:
  {"what": "throughput", "how": "apply", "workers": 2, "size": 64, "seconds": 1}
  {"what": "alone", "how": "pool" or "executor", "size": 64, "seconds": 1}
  {"what": "fresh", "workers": 2, "seconds": 1}     a process for each task
  {"what": "spawn", "how": "fork" or "spawn"}       until the first answer
  {"what": "rss"}                                   of an idle worker of a pool
  {"what": "killed", "how": "pool" or "executor"}   SIGKILL to the task running again
  {"what": "storm", "workers": 2, "seconds": 1}     each 100th task kills its worker
  {"what": "fair", "how": "pool" or "executor", "workers": 2, "seconds": 5, "size": 1000}
                                                    until so many short tasks are done beside a long one
"""

import concurrent.futures
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from concurrent.futures.process import BrokenProcessPool

# A pool that nobody holds would be closed, and one that is closed while it is busy may
# wait for ever. Those here end when this process kills its group.
held = []


def hold(pool):
    held.append(pool)
    return pool


def make_pool(workers, **options):
    return hold(multiprocessing.Pool(workers, **options))


def make_executor(workers):
    return hold(concurrent.futures.ProcessPoolExecutor(workers))


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
    room = threading.Semaphore(window)

    def tasks():
        while room.acquire():
            yield payload

    for reply in pool.imap_unordered(echo, tasks(), chunk):
        check(reply, payload)
        room.release()
        yield 1


def throughput(how, workers, size, seconds):
    payload = b"x" * size
    window = max(workers, min(256 * workers, (64 << 20) // max(1, size)))
    if how == "executor":
        pool = make_executor(workers)
        return rate(windowed(lambda p: pool.submit(echo, p), lambda f: f.result(), payload, window), seconds)
    pool = make_pool(workers)
    if how == "apply":
        return rate(apply(pool, payload), seconds)
    if how == "apply_async":
        return rate(windowed(lambda p: pool.apply_async(echo, (p,)), lambda r: r.get(), payload, window), seconds)
    chunk = 64 if how == "imap64" else 1
    return rate(imap(pool, payload, chunk, max(window, 4 * chunk * workers)), seconds)


def alone(how, size, seconds):
    payload, took = b"x" * size, []
    if how == "executor":
        executor = make_executor(1)
        call = lambda: executor.submit(echo, payload).result()
    else:
        pool = make_pool(1)
        call = lambda: pool.apply(echo, (payload,))
    start = time.perf_counter()
    while not took or time.perf_counter() - start < seconds * 1.25:
        began = time.perf_counter()
        check(call(), payload)
        if began - start >= seconds / 4:
            took.append(time.perf_counter() - began)
    took.sort()
    return {"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}


def fresh(workers, seconds):
    pool = make_pool(workers, maxtasksperchild=1)
    return rate(windowed(lambda p: pool.apply_async(echo, (p,)), lambda r: r.get(), b"x", 4 * workers), seconds)


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
    pid = make_pool(1).apply(os.getpid)
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def hang(pipe):
    os.write(pipe, b"%16d" % os.getpid())
    time.sleep(60)


def killed(how):
    """None if the task's result never comes."""
    r, w = os.pipe()
    first = make_pool(1) if how == "pool" else make_executor(1)
    result = first.apply_async(hang, (w,)) if how == "pool" else first.submit(hang, w)
    pid = int(os.read(r, 16))
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    try:
        result.get(2) if how == "pool" else result.result(2)
    except multiprocessing.TimeoutError:
        return None
    except BrokenProcessPool:
        make_executor(1).submit(hang, w)  # the whole pool is lost
    os.read(r, 16)
    return time.perf_counter() - began


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def storm(workers, seconds):
    payload, done, lost, began = b"x" * 64, 0, 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        pool = make_executor(workers)
        futures = [pool.submit(echo, payload) for _ in range(99 + lost)] + [pool.submit(die)]
        broken = 0
        for future in futures:
            try:
                check(future.result(), payload)
            except BrokenProcessPool:
                broken += 1
        held.remove(pool)
        pool.shutdown()  # it is broken: this collects its processes
        done += len(futures) - broken + 1
        lost = broken - 1  # they went down with the one that died, and are tried again
    return done / (time.perf_counter() - began)


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def fair(how, workers, seconds, size):
    pool = make_executor(workers) if how == "executor" else make_pool(workers)
    submit = pool.submit if how == "executor" else lambda f, t: pool.apply_async(f, (t,))
    took = (lambda f: f.result()) if how == "executor" else (lambda r: r.get())
    for warm in [submit(spin, 0.001) for _ in range(workers)]:
        took(warm)
    began = time.perf_counter()
    submit(time.sleep, seconds)
    for short in [submit(spin, 0.001) for _ in range(size)]:
        took(short)
    return time.perf_counter() - began


def main():
    ask = json.loads(sys.stdin.readline())
    what = {
        "throughput": throughput, "alone": alone, "fresh": fresh, "spawn": spawn, "rss": rss,
        "killed": killed, "storm": storm, "fair": fair,
    }[ask.pop("what")]
    try:
        answer = {"value": what(**ask)}
    except BaseException as e:
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
    sys.stdin.read()  # until the asker has the answer, or is no more
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
