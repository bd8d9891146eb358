"""`manage.py import_cards FILE`: take a card file of this machine into the pool, here and now."""

import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from loyalty import errors
from loyalty.callers import Caller
from wechat import batches, imports, verdicts
from wechat.models import Batch
from wechat.rehearsal import Outcome, rehearse

_FOR_EVER = float("inf")


class Command(BaseCommand):
    help = "Take a card file of this machine into the pool; killed, it is gone on with by the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
        parser.add_argument("--verdicts", type=Path, help="write the rejected lines to this CSV file")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            self.size, self.started = path.stat().st_size, time.monotonic()
            rejected = self._rehearse(path) if options["dry_run"] else self._import(path)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        except errors.Refusal as refusal:
            raise CommandError(f"{path}: {refusal.message}") from None
        if options["verdicts"]:
            options["verdicts"].write_text("".join(verdicts.as_csv(rejected)))

    def _rehearse(self, path: Path) -> list[tuple[int, str]]:
        with path.open("rb") as stream:
            outcome = rehearse(
                stream, today=timezone.localdate(), report=lambda so_far: self._show(so_far.rows, stream.tell())
            )
        self._say_rehearsed(outcome)
        return outcome.rejected

    def _say_rehearsed(self, outcome: Outcome) -> None:
        self.stdout.write(
            f"\nDry run: {outcome.rows} rows, {outcome.fresh} new, {outcome.known} known, "
            f"{len(outcome.rejected)} rejected. Nothing was changed."
        )

    def _import(self, path: Path) -> Iterable[tuple[int, str]]:
        with path.open("rb") as stream:
            file = batches.check_local(path.name, stream, self.size)
            batch = batches.take(file, caller=Caller(address="", request_id="import_cards"), publish=False)
        imports.run(batch.pk, seconds=_FOR_EVER, report=lambda now: self._show(now.rows, now.bytes_read))
        batch = Batch.objects.get(pk=batch.pk)
        self.stdout.write(
            f"\nBatch {batch.pk} is {batch.state}: {batch.rows} rows, {batch.imported} imported, "
            f"{batch.duplicates} known, {batch.rejected} rejected. {batch.problem}".rstrip()
        )
        if batch.state == Batch.State.FAILED:
            raise CommandError(batch.problem)
        return batch.rejected_rows.order_by("line").values_list("line", "reason").iterator(chunk_size=2000)

    def _show(self, rows: int, done: int) -> None:
        """One line that is written over, on a terminal; nothing elsewhere."""
        if not self.stdout.isatty():
            return
        seconds = time.monotonic() - self.started
        share = done / self.size if self.size else 1
        left = seconds / share - seconds if share else 0
        bar = ("#" * round(30 * share)).ljust(30, ".")
        self.stdout.write(
            f"\r[{bar}] {share:4.0%}  {rows:,} rows, {rows / seconds:,.0f}/s, {left:.0f} s left ", ending=""
        )
        self.stdout.flush()
