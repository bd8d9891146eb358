"""`make bench-pool`: the card pool against what the same machine can do at all, in one run."""

import os
import subprocess
import sys

from bench import database, pool_draw

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
MOST_MEMORY = 150


def run_import(case: str) -> tuple[float, float]:
    """Seconds and MiB."""
    with database.migrated() as environment:
        command = [sys.executable, "-m", "bench.pool_import", case, str(ROWS)]
        said = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds, memory = map(float, said.split())
    return seconds, memory


def show_imports() -> None:
    print(f"{f'import of {ROWS:,} rows':58}seconds    MiB  ratio  at most", flush=True)
    for suffix, story in (("", "pool alone"), ("-crm", "with the embedded CRM")):
        floor, _ = run_import(f"floor{suffix}")
        print(f"{f'floor, {story}: COPY, ids into Redis':55}{floor:10.1f}", flush=True)
        for case, limit in (("plain", 3), ("encrypted", 6)):
            seconds, memory = run_import(case + suffix)
            print(f"{f'{case}, {story}':55}{seconds:10.1f}{memory:7.0f}{seconds / floor:7.2f}{limit:9}", flush=True)
    print(f"memory: at most {MOST_MEMORY} MiB")


def show_draws() -> None:
    print(f"{'getCard over HTTP, 16 callers':58}cards/s        ratio at least")
    product, floor = pool_draw.against_the_floor()
    print(f"{'bare Django view, one UPDATE … RETURNING':55}{floor:10,.0f}", flush=True)
    print(f"{'the product, with the embedded CRM':55}{product:10,.0f}{product / floor:14.2f}{0.7:9}", flush=True)
    many, few = pool_draw.many_against_few()
    print(f"{f'{pool_draw.FEW:,} cards in the pool':55}{few:10,.0f}")
    print(f"{f'{pool_draw.MANY:,} cards in the pool':55}{many:10,.0f}{many / few:14.2f}{0.9:9}", flush=True)


if __name__ == "__main__":
    show_imports()
    show_draws()
