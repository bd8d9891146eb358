"""What import_orders and import_rewards have in common."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders import imports
from orders.intake import REJECTED, Verdict
from orders.models import FileImport


class ImportCommand(BaseCommand):
    kind: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE.csv|FILE.jsonl")

    def handle(self, *args: Any, files: list[Path], **options: Any) -> None:
        """Each row's verdict with --verbosity 2, otherwise those of rejected rows alone."""
        for path in files:
            self._import(path, every_row=options["verbosity"] > 1)

    def _import(self, path: Path, *, every_row: bool) -> None:
        counts: Counter[str] = Counter()
        try:
            stream = path.open("rb")
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from None
        with stream:
            size = path.stat().st_size
            file_import = FileImport.objects.create(kind=self.kind, file_name=path.name[-200:], bytes_total=size)

            def told(verdicts: Sequence[Verdict]) -> None:
                for verdict in verdicts:
                    counts[verdict.result] += 1
                    if every_row or verdict.result == REJECTED:
                        self.stdout.write(
                            f"line {verdict.line} {verdict.name}: {verdict.result} {verdict.reason}".strip()
                        )
                self.stderr.write(f"{path.name}: {counts.total()} rows, {stream.tell() * 100 // max(size, 1)} %")

            imports.run(file_import, stream, told)
        if file_import.state == FileImport.State.FAILED:
            raise CommandError(f"{path.name}: {file_import.problem}")
        said = ", ".join(f"{getattr(file_import, name)} {name}" for name in ("added", "updated", "known", "rejected"))
        self.stdout.write(f"{path.name}: {said}")
