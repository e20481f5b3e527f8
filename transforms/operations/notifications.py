"""Notifies people how a nightly run ended, through a webhook and by e-mail: counts, dollars and the sentences that the command prints.

Nothing of a member is in it: facts are those of a run's summary, and sentences those of `AuditError`, which hold none. A notification that
cannot be sent is no reason to fail: standard error says so.
"""

import json
import smtplib
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from sij_audit.transforms.audit.run import Request, Result
from sij_audit.transforms.audit.summary import RunSummary
from sij_audit.transforms.errors import AuditError, BusyError, HeldBack
from sij_audit.transforms.ingest.faults import describe_faults
from sij_audit.transforms.ingest.outcomes import Loaded, Refused
from sij_audit.transforms.settings import Kind, Settings
from sij_audit.transforms.store.folder import Batch
from sij_audit.transforms.text import count_of, dollars

NAMED = 10
"""So many extracts with quarantined rows have a sentence of their own."""

PATIENCE_SECONDS = 10.0
"""How long one answer of a server is waited for."""

PAUSES: list[float] = [1, 5]
"""Seconds between tries."""

DEADLINE_SECONDS = 60.0
"""After so long nobody waits any more, whatever a server does."""


class Undeliverable(Exception):
    """A server does not want the message, and will not later."""


class TryLater(Exception):
    """A server could not be reached, or has no time."""


@dataclass(frozen=True)
class Message:
    """A notification; `facts` can be written as JSON, and amounts in it are text."""

    kind: Kind
    title: str
    lines: tuple[str, ...]
    """Sentences for people, the most pressing first."""
    facts: dict[str, Any]


def notify_of_result(request: Request, result: Result) -> Result:
    """Notify people how a run ended, and give it back with a notice for each place that the notification did not reach."""
    return replace(result, notices=(*result.notices, *send(request.settings, describe_result(request, result))))


def notify_of_error(request: Request, error: BaseException) -> list[str]:
    """Notify people that a run was put on hold or failed; give a sentence for each place that the notification did not reach."""
    if isinstance(error, BusyError):
        return []
    return send(request.settings, describe_error(request, error))


def describe_result(request: Request, result: Result) -> Message:
    """Say how a run ended that did; it needs attention where an extract was refused, or there is a notice that the run before had not."""
    refused = [outcome.reason for outcome in result.outcomes if isinstance(outcome, Refused) and not outcome.is_remembered]
    quality = sorted(result.summary.quality, key=lambda notice: not notice.is_new) if result.summary else []
    needs_somebody = bool(result.exit_code or result.notices or any(notice.is_new for notice in quality))
    ended = f"published run {result.run.name}" if result.run else f"nothing is new since run {result.current.name}"
    quarantined = [outcome.batch for outcome in result.outcomes if isinstance(outcome, Loaded) and outcome.batch.faults]
    lines = [
        *result.notices,
        *(f"Refused: {reason}" for reason in refused),
        *map(str, quality),
        *result.remarks,
        *_describe_quarantine(quarantined),
    ]
    if result.summary is not None:
        lines += _describe_findings(result.summary)
    return Message(
        kind="attention" if needs_somebody else "success",
        title=f"sij-audit: {ended}{', and somebody should look' if needs_somebody else ''}",
        lines=tuple(lines),
        facts={
            **_facts(request, result.exit_code),
            "run_id": result.current.name,
            "is_published": result.run is not None,
            "notices": list(result.notices),
            "remarks": list(result.remarks),
            "refused": refused,
            "quarantined": [{"extract": batch.extract, **asdict(fault)} for batch in quarantined for fault in batch.faults],
            **(_figures(result.summary) if result.summary is not None else {}),
        },
    )


def describe_error(request: Request, error: BaseException) -> Message:
    """Say why a run published nothing; of an error that does not say what to do, the kind alone, since its text may quote a cell."""
    is_held = isinstance(error, HeldBack)
    known = isinstance(error, AuditError)
    sentence = str(error) if known else f"Stopped by {type(error).__name__}; the log of the run says where."
    return Message(
        kind="hold" if is_held else "failure",
        title=f"sij-audit: a run {'was put on hold' if is_held else 'failed'}, and nothing was published",
        lines=(sentence,),
        facts={**_facts(request, error.exit_code if isinstance(error, AuditError) else AuditError.exit_code), "message": sentence},
    )


def _facts(request: Request, exit_code: int) -> dict[str, Any]:
    return {"out": str(request.out), "command": request.command, "as_of": request.as_of.isoformat(), "exit_code": exit_code}


def _describe_quarantine(batches: Sequence[Batch]) -> list[str]:
    """Say of extracts that were loaded why rows of them were quarantined."""
    sentences = [
        f"Quarantined of {batch.extract}: {batch.controls['rows_quarantined']:,} of {batch.controls['rows_read']:,} rows: "
        f"{describe_faults(batch.faults)}."
        for batch in batches[:NAMED]
    ]
    more = [f"Rows of {count_of(len(batches) - NAMED, 'more extract')} were quarantined; see quarantine_reasons."]
    return sentences + (more if len(batches) > NAMED else [])


def _describe_findings(summary: RunSummary) -> list[str]:
    """Say what was found, in all and by rule."""
    counts = ", ".join(f"{totals.findings:,} {totals.status}" for totals in summary.statuses)
    return [
        f"Findings: {counts or 'none'}. At risk, no dollar counted twice: {dollars(summary.amount_at_risk)}.",
        *(
            f"{rule.policy_id} {rule.rule_id}: {dollars(rule.amount_at_risk)} at risk "
            f"(violations: {rule.proven:,} proven, {rule.presumed:,} presumed; reviews: {rule.likely:,} likely, {rule.possible:,} possible)"
            for rule in summary.rules
        ),
    ]


def _figures(summary: RunSummary) -> dict[str, Any]:
    """Select what may leave the house of a summary, by name."""
    return {
        "rows": asdict(summary.rows),
        "data_quality": [
            {
                "check_id": notice.check_id,
                "column": notice.column,
                "extracts": notice.extracts,
                "counted": notice.counted,
                "row_count": notice.row_count,
                "found_count": notice.found_count,
                "is_new": notice.is_new,
            }
            for notice in summary.quality
        ],
        "injections": summary.injections,
        "amount_at_risk": str(summary.amount_at_risk),
        "findings": {
            totals.status: {"findings": totals.findings, "amount_at_risk": str(totals.amount_at_risk)} for totals in summary.statuses
        },
        "rules": [
            {
                "policy_id": rule.policy_id,
                "rule_id": rule.rule_id,
                "violations": rule.violations,
                "reviews": rule.reviews,
                "proven": rule.proven,
                "presumed": rule.presumed,
                "likely": rule.likely,
                "possible": rule.possible,
                "amount_at_risk": str(rule.amount_at_risk),
            }
            for rule in summary.rules
        ],
    }


def send(settings: Settings, message: Message) -> list[str]:
    """Send a message wherever the settings say; give, and write to standard error, a sentence for each place that it did not reach."""
    if message.kind not in settings.notify_on:
        return []
    ways: dict[str, Callable[[], None]] = {}
    if settings.webhook_url:
        url = settings.webhook_url.get_secret_value()
        ways[f"The webhook at {urlsplit(url).hostname}"] = lambda: post(url, message)
    if settings.email_to:
        ways[f"{settings.smtp_host}, for e-mail,"] = lambda: mail(settings, message)
    failures = [f"{name} was not notified of this run: {why}." for name, why in _try_all(ways)]
    for failure in failures:
        sys.stderr.write(f"sij-audit: {failure}\n")
    return failures


def _try_all(ways: dict[str, Callable[[], None]]) -> list[tuple[str, str]]:
    """Go all ways at once, and say why which of them failed; one that never returns is left behind, and ends with the process."""
    whys: dict[str, str] = dict.fromkeys(ways, f"no end within {DEADLINE_SECONDS:g} seconds")

    def go(name: str) -> None:
        why = _try(ways[name])
        if why is None:
            del whys[name]
        else:
            whys[name] = why

    threads = [threading.Thread(target=go, args=(name,), name="notification", daemon=True) for name in ways]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + DEADLINE_SECONDS
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return list(whys.items())


def _try(way: Callable[[], None]) -> str | None:
    """Try until it works or cannot; None where it worked."""
    why = None
    for pause in (0, *PAUSES):
        time.sleep(pause)
        try:
            way()
        except TryLater as failure:
            why = str(failure)
        except Undeliverable as failure:
            return str(failure)
        except Exception as error:
            return type(error).__name__
        else:
            return None
    return why


def _opener() -> urllib.request.OpenerDirector:
    """Speaks HTTP and HTTPS alone, and follows no redirect, which might lead anywhere."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def post(url: str, message: Message) -> None:
    """Post a message as JSON; `text` is there for chats, which show that."""
    body = {"text": "\n".join([message.title, *message.lines]), "kind": message.kind, "title": message.title, **message.facts}
    headers = {"Content-Type": "application/json", "User-Agent": "sij-audit"}
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if at:
        url = urlunsplit(parts._replace(netloc=host))
        headers["Authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    asked = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310  # the opener knows HTTP alone
    try:
        _opener().open(asked, timeout=PATIENCE_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        is_busy = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR or error.code in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        raise (TryLater if is_busy else Undeliverable)(f"it answered with status {error.code}") from None
    except (OSError, TimeoutError) as error:
        raise TryLater(_reason(error)) from None


def mail(settings: Settings, message: Message) -> None:
    """Send a message as an e-mail of plain text."""
    email = EmailMessage()
    email["Subject"] = message.title
    email["From"] = settings.email_from
    email["To"] = ", ".join(settings.email_to)
    email["Date"] = formatdate()
    email["Message-ID"] = make_msgid(domain=(settings.email_from or "").rpartition("@")[2])
    email["Auto-Submitted"] = "auto-generated"
    email.set_content("\n".join([*message.lines, "", _listed(message.facts), ""]), cte="quoted-printable")
    try:
        refused = _hand_over(settings, email)
    except smtplib.SMTPResponseException as error:
        raise (TryLater if 400 <= error.smtp_code < 500 else Undeliverable)(f"it answered with code {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused:
        raise Undeliverable("it takes no e-mail for these addresses") from None
    except smtplib.SMTPNotSupportedError:
        raise Undeliverable("it offers no STARTTLS, or no login that is known here") from None
    except ssl.SSLCertVerificationError as error:
        raise Undeliverable(_reason(error)) from None
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise TryLater(_reason(error)) from None
    if refused:
        raise Undeliverable(f"it takes no e-mail for {len(refused)} of the addresses")


def _hand_over(settings: Settings, email: EmailMessage) -> Sequence[str]:
    """Give the e-mail to the server, and get the addresses that it refuses."""
    host, port = settings.smtp_host or "", settings.smtp_port
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=PATIENCE_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE_SECONDS)
    with server:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user and settings.smtp_password:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        return list(server.send_message(email))


def _listed(facts: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {facts[name]}" for name in ("run_id", "as_of", "out", "command", "exit_code") if name in facts)


def _reason(error: BaseException) -> str:
    """What the system says, without an address."""
    cause = error.reason if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException) else error
    if isinstance(cause, TimeoutError):
        return f"no answer within {PATIENCE_SECONDS:g} seconds"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate does not hold ({cause.verify_message})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror[:1].lower() + cause.strerror[1:]
    return type(cause).__name__
