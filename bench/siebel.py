"""`make bench-siebel`: what a `detail` costs over the wire, and how we fare with a Siebel that falls silent."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import requests

from bench import database
from bench.pool_draw import served
from tests.environment import free_port

TURNS, CALLS = int(os.environ.get("BENCH_TURNS", "30")), 40
CALLERS, SILENT_SECONDS, DEADLINE = 40, 15.0, 8.0
MOST_TIMES_BARE, MOST_HEALTH_MS = 1.25, 100
USER, PASSWORD = "SADMIN", "bench-password"
MEMBER = "1-BENCH"
NEW_MEMBER = (
    "from customers.models import Member; Member.objects.create(customer_id='1-BENCH', status='Active',"
    " user_name='bench', user_name_key='bench', first_name='Mei', last_name='Li', cell_phone='13812345678')"
)
NEW_TOKEN = "from loyalty import authentication; print('token', authentication.issue_token('1-BENCH')[0])"


@contextmanager
def siebelserver(environment: dict[str, str], port: int) -> Iterator[str]:
    """The address of its control route."""
    control_port = free_port()
    ports = ["--port", str(port), "--control-port", str(control_port)]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "siebelserver", *ports], env=environment, stdout=subprocess.DEVNULL
    )
    control = f"http://127.0.0.1:{control_port}"
    try:
        for _ in range(300):
            with suppress(requests.ConnectionError):
                requests.get(f"{control}/calls", timeout=5)
                break
            time.sleep(0.1)
        yield control
    finally:
        process.terminate()
        process.wait(30)


def run(environment: dict[str, str], code: str) -> str:
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def token_of(environment: dict[str, str]) -> str:
    return run(environment, NEW_TOKEN).partition("token ")[2].strip()


def detail(port: int, token: str) -> Callable[[], requests.Response]:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    return lambda: session.get(f"http://127.0.0.1:{port}/api/Customers/detail", timeout=60)


def bare(url: str) -> Callable[[], requests.Response]:
    session = requests.Session()
    session.auth = (USER, PASSWORD)
    path = f"{url}/siebel/v1.0/service/Loyalty%20Member/Get"
    return lambda: session.post(path, json={"body": {"MemberNumber": MEMBER}}, timeout=60)


def milliseconds(call: Callable[[], requests.Response]) -> float:
    started_at = time.perf_counter()
    for _ in range(CALLS):
        call().raise_for_status()
    return (time.perf_counter() - started_at) / CALLS * 1000


def show_cost(calls: dict[str, Callable[[], requests.Response]]) -> bool:
    """In short alternating turns: the machine is not alone."""
    turns = [{name: milliseconds(call) for name, call in calls.items()} for _ in range(TURNS)]
    cost = {name: statistics.median(turn[name] for turn in turns) for name in calls}
    for name, took in cost.items():
        print(f"{name:55}{took:8.2f} ms")
    most = MOST_TIMES_BARE * cost["a bare requests call"] + cost["detail, embedded"]
    print(f"{'over the wire: at most 1.25 × bare + embedded':55}{most:8.2f} ms", flush=True)
    return cost["detail, over the wire"] <= most


def show_silence(control: str, ask: Callable[[], Callable[[], requests.Response]], health: str) -> bool:
    """Of a service in full swing: its callers, their connections and its own are there before Siebel falls silent."""
    statuses, slowest, health_ms = Counter[int](), [0.0], [0.0]
    silent, over = threading.Event(), threading.Event()

    def caller() -> None:
        call = ask()
        while not over.is_set():
            at, was_silent = time.monotonic(), silent.is_set()
            status = call().status_code
            if was_silent:
                statuses[status] += 1
                slowest.append(time.monotonic() - at)
            time.sleep(1)

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    time.sleep(5)
    requests.post(f"{control}/faults", json={"fault": "hang", "times": 10**9, "seconds": 60}, timeout=5)
    silent.set()
    until = time.monotonic() + SILENT_SECONDS
    while time.monotonic() < until:
        at = time.monotonic()
        requests.get(health, timeout=30)
        health_ms.append((time.monotonic() - at) * 1000)
        time.sleep(0.05)
    over.set()
    for thread in threads:
        thread.join()
    median, worst = statistics.median(health_ms), max(health_ms)
    most = statistics.quantiles(health_ms, n=100)[98]
    print(f"{CALLERS} callers, a mute Siebel: answers {dict(statuses)}, the slowest after {max(slowest):.2f} s")
    print(
        f"/health meanwhile: median {median:.0f} ms, 99 of 100 within {most:.0f} ms, at most {MOST_HEALTH_MS} ms",
        end="",
    )
    print(f"; slowest {worst:.0f} ms", flush=True)
    return set(statuses) <= {503, 504} and max(slowest) < DEADLINE + 1 and most < MOST_HEALTH_MS


def main() -> bool:
    port = free_port()
    siebel = f"http://127.0.0.1:{port}"
    to_siebel = {"SIEBEL_URL": siebel, "SIEBEL_USER": USER, "SIEBEL_PASSWORD": PASSWORD}
    limits = {"READS_PER_CUSTOMER_MINUTE": "1000000000"}
    with (
        database.migrated("crm", 13, **limits) as crm,
        database.migrated("siebel", 14, SIEBEL_TRANSPORT="rest", **to_siebel, **limits) as rest,
        siebelserver({**crm, **to_siebel, "SIEBELSERVER_DATABASE_URL": crm["DATABASE_URL"]}, port) as control,
        served("config.wsgi:application", crm) as embedded_port,
        served("config.wsgi:application", rest) as rest_port,
    ):
        run(crm, NEW_MEMBER)
        rest_token = token_of(rest)
        cost_is_right = show_cost(
            {
                "a bare requests call": bare(siebel),
                "detail, embedded": detail(embedded_port, token_of(crm)),
                "detail, over the wire": detail(rest_port, rest_token),
            }
        )
        health = f"http://127.0.0.1:{rest_port}/health"
        return show_silence(control, lambda: detail(rest_port, rest_token), health) and cost_is_right


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
