"""The file `.env` in the project's folder: settings for every process of ours; what the environment has wins."""

from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent


def read() -> None:
    if (ROOT / ".env").is_file():
        environ.Env.read_env(ROOT / ".env")
