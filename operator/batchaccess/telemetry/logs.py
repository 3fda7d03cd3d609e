"""Logging set up once: JSON for machines, aligned text for people, the context on every line, secrets on none.

Only the standard library's logging: kopf and the Azure SDK log through it as well, so there is one pipeline.
"""

import logging
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO

import orjson

from batchaccess.telemetry.logcontext import current_log_context


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


REDACTED: Final = "REDACTED"

_SECRETS: Final = (
    re.compile(r"(?i)(?<=bearer )[^\s\"',]+"),
    re.compile(r"(?i)(?<=sharedkey )[^\s\"',]+"),
    re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="),
    re.compile(r"(?i)(?<=client_secret=)[^\s&\"']+"),
    re.compile(r"(?i)(?<=client_assertion=)[^\s&\"']+"),
    re.compile(r"(?i)(?<=[?&]sig=)[^\s&\"']+"),
)
"""Authorization headers, JSON web tokens, 64-byte account keys, token request bodies, SAS signatures."""

_QUIET: Final = {
    "aiohttp": logging.WARNING,
    "asyncio": logging.WARNING,
    # One line per request and answer at INFO, bodies at DEBUG.
    "azure": logging.WARNING,
    "msal": logging.WARNING,
    # Bodies of answers at DEBUG, those of Secrets among them.
    "kubernetes": logging.WARNING,
    # "Handler succeeded" for every change of every object at INFO.
    "kopf": logging.WARNING,
    "urllib3": logging.WARNING,
}
"""Foreign loggers and their level, whatever ours is."""


def configure_logging(format: LogFormat, *, level: int, stream: TextIO) -> None:
    """Send everything to one stream; a second call replaces the first.

    Args:
        format: JSON in a cluster, text on a terminal.
        level: lowest level of our own lines; foreign ones stay at WARNING, since below that they log answers with
            secrets in them.
        stream: where to, usually standard error.
    """
    formatter = JsonFormatter() if format is LogFormat.JSON else TextFormatter()
    handler = _OurHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [other for other in root.handlers if not isinstance(other, _OurHandler)]
    root.addHandler(handler)
    root.setLevel(level)
    for name, quiet_level in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, quiet_level))


def redact(text: str) -> str:
    """Replace what looks like a credential. A second line of defence: no caller should log one."""
    for secret in _SECRETS:
        text = secret.sub(REDACTED, text)
    return text


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time, level, logger, message, then the context, then the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line: dict[str, Any] = {
            "time": _instant(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_context(record),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


class TextFormatter(logging.Formatter):
    """Time of day, level, message, then the context in parentheses."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record; only a traceback makes it more than one line."""
        context = " ".join(f"{name}={value}" for name, value in _context(record).items())
        # A line break inside a message could pretend to be a line of ours.
        message = redact(record.getMessage()).replace("\r", r"\r").replace("\n", r"\n")
        time_of_day = _instant(record).astimezone().strftime("%H:%M:%S")
        line = f"{time_of_day} {record.levelname:<7} {message}" + (f"  ({context})" if context else "")
        return f"{line}\n{redact(self.formatException(record.exc_info))}" if record.exc_info else line


class _OurHandler(logging.StreamHandler[TextIO]):
    """Told apart from handlers that others, such as pytest, have on the root logger."""


def _context(record: logging.LogRecord) -> dict[str, str]:
    """What the line is about: our context, or the object that kopf was handling."""
    fields = current_log_context().fields()
    reference = getattr(record, "k8s_ref", None)
    if isinstance(reference, dict):
        fields["object"] = "/".join(str(reference[key]) for key in ("kind", "namespace", "name") if reference.get(key))
    return fields


def _instant(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
