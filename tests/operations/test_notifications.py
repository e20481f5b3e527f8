"""People are told how a nightly run ended, of counts and dollars alone, and a run does not mind where they cannot be."""

import base64
import email
import email.policy
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from sij_audit.transforms.audit.run import Request, Result, run_audit
from sij_audit.transforms.errors import AuditError, BusyError, HeldBack
from sij_audit.transforms.operations import notifications as notify
from sij_audit.transforms.operations.notifications import Message, describe_error, describe_result, notify_of_error, notify_of_result, send
from sij_audit.transforms.settings import Kind, Settings
from tests.flows.test_secrecy import ALL as ALL_MARKERS
from tests.flows.test_secrecy import write_extracts
from tests.prefect_house import House
from tests.runs import AS_OF, command, line, write_extract

MARKER = "MARKER7"

ALL: tuple[Kind, ...] = ("success", "attention", "hold", "failure")

MESSAGE = Message("failure", "sij-audit: a run failed", ("Why it did: ü.",), {"exit_code": 4, "as_of": "2024-06-30"})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PAUSES", [0.0, 0.0])
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


# --- a web server and a mail server


@dataclass
class Web:
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    """What to answer next; 200 when there are none left."""
    location: str = ""
    credentials: list[str | None] = field(default_factory=list)
    got: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[Web]:
    place = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            place.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
            place.credentials.append(self.headers["Authorization"])
            self.send_response(place.statuses.pop(0) if place.statuses else 200)
            if place.location:
                self.send_header("Location", place.location)
            self.end_headers()

        def do_GET(self) -> None:
            place.got.append((self.path, "GET", {}))

        def log_message(self, *_arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        place.url = f"http://127.0.0.1:{server.server_port}/hooks/KEY"
        yield place
        server.shutdown()
        thread.join()


@dataclass
class Mail:
    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    """What to answer a command instead of what it wants to hear, each once."""
    said: list[str] = field(default_factory=list)
    got: list[EmailMessage] = field(default_factory=list)
    context: ssl.SSLContext | None = None


@pytest.fixture
def mail() -> Iterator[Mail]:
    place = Mail()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place.port = listener.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    converse(place, connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield place
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def converse(place: Mail, connection: socket.socket) -> None:
    """Speak as much SMTP as a client needs to hand a message over."""
    stream = connection.makefile("rwb")

    def say(answer: str) -> None:
        stream.write(answer.encode() + b"\r\n")
        stream.flush()

    say("220 mail")
    while words := stream.readline().decode().split():
        verb = words[0].upper()
        place.said.append(verb)
        given = place.answers.get(verb)
        if given:
            say(given.pop(0))
        elif verb == "EHLO":
            say("250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS" if place.context else "250 mail")
        elif verb == "STARTTLS" and place.context:
            say("220 go")
            connection = place.context.wrap_socket(connection, server_side=True)
            stream = connection.makefile("rwb")
        elif verb == "AUTH":
            place.said.append(base64.b64decode(words[2]).decode())
            say("235 come in")
        elif verb == "DATA":
            say("354 go on")
            lines = []
            while (text := stream.readline()) != b".\r\n":
                lines.append(text)
            parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(parsed, EmailMessage)
            place.got.append(parsed)
            say("250 taken")
        elif verb == "QUIT":
            say("221 bye")
            return
        else:
            say("250 fine")


def by_mail(mail: Mail, **more: Any) -> Settings:
    return Settings(
        notify_on=ALL,
        email_from="audit@example.org",
        email_to=("a@example.org", "b@example.org"),
        smtp_host="localhost",
        smtp_port=mail.port,
        **{"smtp_security": "none", **more},
    )


def by_web(url: str, *kinds: Kind) -> Settings:
    return Settings(notify_on=kinds or ALL, webhook_url=SecretStr(url))


# --- what a notification says


def lines_of(persons: int) -> list[dict[str, Any]]:
    """A pair of injections too close together for each person."""
    return [
        line(f"{MARKER}-{person}-{day}", f"2024-01-{day}", person=f"{MARKER}-P{person}")
        for person in range(persons)
        for day in ("02", "05")
    ]


@pytest.fixture
def request_of(tmp_path: Path) -> Request:
    extract = write_extract(tmp_path / "claims.parquet", lines_of(12))
    return Request(out=tmp_path / "out", extracts=(extract,), as_of=AS_OF, command="nightly")


def test_a_notification_holds_counts_and_dollars_and_nothing_of_a_member(web: Web, mail: Mail, request_of: Request) -> None:
    settings = by_mail(mail, webhook_url=web.url)
    request = replace(request_of, settings=settings)
    result = notify_of_result(request, run_audit(request))
    assert result.notices == ()
    [(path, content_type, told)] = web.got
    assert (path, content_type) == ("/hooks/KEY", "application/json")
    assert result.run is not None
    assert result.summary is not None
    assert (told["kind"], told["title"], told["run_id"]) == ("success", f"sij-audit: published run {result.run.name}", result.run.name)
    assert (told["exit_code"], told["as_of"], told["is_published"], told["command"]) == (0, "2024-06-30", True, "nightly")
    assert told["findings"]["new"]["findings"] == 12
    assert told["amount_at_risk"] == str(result.summary.amount_at_risk)
    assert sum(rule["violations"] + rule["reviews"] for rule in told["rules"]) == 12
    assert told["rows"]["read"] == 24
    [letter] = mail.got
    assert (letter["Subject"], letter["From"], letter["To"]) == (told["title"], "audit@example.org", "a@example.org, b@example.org")
    assert "Findings: 12 new." in letter.get_content()
    assert f"run_id: {result.run.name}" in letter.get_content()
    assert told["text"].startswith(told["title"])
    assert MARKER not in json.dumps(told) + letter.as_string()


def test_what_needs_somebody_says_so(tmp_path: Path, request_of: Request) -> None:
    (tmp_path / "broken.csv").write_text("")
    request = replace(request_of, extracts=(*request_of.extracts, tmp_path / "broken.csv"))
    result = run_audit(request)
    message = describe_result(request, result)
    assert message.kind == "attention"
    assert message.title == f"sij-audit: published run {result.current.name}, and somebody should look"
    assert message.facts["refused"] == ["broken.csv: is empty, not even a header row."]
    assert "Refused: broken.csv: is empty, not even a header row." in message.lines
    noticed = describe_result(request, replace(result, outcomes=(), notices=("The feed claims did not come.",)))
    assert (noticed.kind, noticed.lines[0]) == ("attention", "The feed claims did not come.")
    nothing_new = describe_result(request, Result((), result.current, None, None))
    assert (nothing_new.kind, nothing_new.title) == ("success", f"sij-audit: nothing is new since run {result.current.name}")


def test_why_rows_were_quarantined_is_said_without_a_value(tmp_path: Path, request_of: Request) -> None:
    rows = [line(f"C{number}", f"2023-01-{1 + number:02}") for number in range(30)]
    rows[4] |= {"claim_status": MARKER}
    result = run_audit(replace(request_of, extracts=(write_extract(tmp_path / "new.csv", rows),)))
    message = describe_result(request_of, result)
    form = "AAAAAA9"
    assert f"Quarantined of new.csv: 1 of 30 rows: unknown_claim_status 1 in claim_status (row 5; form {form})." in message.lines
    [fault] = message.facts["quarantined"]
    assert (fault["extract"], fault["reason"], fault["first_rows"], fault["forms"]) == ("new.csv", "unknown_claim_status", [5], [form])
    assert message.kind == "success"
    assert MARKER not in repr(message)


def test_what_a_quality_check_finds_asks_for_attention_once(tmp_path: Path) -> None:
    """The same notice on the night after stands in the message, and needs nobody any more."""
    request = Request(
        out=tmp_path / "out", extracts=(write_extract(tmp_path / "a.csv", [line("C1", "2023-06-01", "CPT27096")]),), as_of=AS_OF
    )
    message = describe_result(request, run_audit(request))
    assert message.kind == "attention"
    assert message.lines[0].startswith(
        "hcpcs_code in a.csv: 1 of 1 rows (such as AAA99999): a code that the audit looks for is written with"
    )
    assert message.facts["data_quality"][0] == {
        "check_id": "code_in_disguise",
        "column": "hcpcs_code",
        "extracts": ["a.csv"],
        "counted": "rows",
        "row_count": 1,
        "found_count": 1,
        "is_new": True,
    }
    later = describe_result(request, run_audit(replace(request, as_of=AS_OF + timedelta(days=1))))
    assert (later.kind, later.lines[0], later.facts["data_quality"][0]["is_new"]) == ("success", message.lines[0], False)


@pytest.mark.parametrize(
    ("error", "kind", "exit_code", "sentence"),
    [
        (HeldBack("On hold: too much."), "hold", 5, "On hold: too much."),
        (AuditError("No room."), "failure", 4, "No room."),
        (ValueError(MARKER), "failure", 4, "Stopped by ValueError; the log of the run says where."),
    ],
)
def test_a_run_that_published_nothing_says_why(error: Exception, kind: str, exit_code: int, sentence: str, request_of: Request) -> None:
    message = describe_error(request_of, error)
    assert (message.kind, message.facts["exit_code"], message.lines) == (kind, exit_code, (sentence,))
    assert MARKER not in repr(message)


def test_nobody_is_notified_of_what_they_do_not_ask_for(web: Web, request_of: Request) -> None:
    assert Settings().notify_on == ("attention", "hold", "failure")
    request = replace(request_of, settings=by_web(web.url, "hold"))
    assert notify_of_error(request, AuditError("No room.")) == []
    assert notify_of_error(replace(request_of, settings=by_web(web.url)), BusyError("Another run.")) == []
    assert notify_of_error(request_of, HeldBack("On hold.")) == []
    assert web.got == []
    assert notify_of_error(request, HeldBack("On hold.")) == []
    assert [told["kind"] for _, _, told in web.got] == ["hold"]


# --- what goes wrong


def test_a_server_that_has_no_time_is_asked_again(web: Web, mail: Mail) -> None:
    web.statuses = [503, 429]
    mail.answers = {"MAIL": ["451 later"], "RCPT": ["250 fine"]}
    assert send(by_mail(mail, webhook_url=web.url), MESSAGE) == []
    assert (len(web.got), len(mail.got)) == (3, 1)
    assert "Why it did: ü." in mail.got[0].get_content()


@pytest.mark.parametrize(
    ("statuses", "why", "tries"),
    [
        ([404], "it answered with status 404", 1),
        ([302], "it answered with status 302", 1),
        ([500, 502, 503], "it answered with status 503", 3),
    ],
)
def test_who_could_not_be_notified_is_named_without_the_address(
    statuses: list[int], why: str, tries: int, web: Web, capsys: pytest.CaptureFixture[str]
) -> None:
    web.statuses, web.location = statuses, web.url
    [failure] = send(by_web(web.url), MESSAGE)
    assert failure == f"The webhook at 127.0.0.1 was not notified of this run: {why}."
    assert capsys.readouterr().err == f"sij-audit: {failure}\n"
    assert [kind for _, kind, _ in web.got] == ["application/json"] * tries


def test_a_user_in_the_address_becomes_credentials(web: Web) -> None:
    assert send(by_web(web.url.replace("://", "://u%40x:p@")), MESSAGE) == []
    assert web.credentials == [f"Basic {base64.b64encode(b'u@x:p').decode()}"]


def test_a_run_whose_news_reach_nobody_ends_as_it_would(request_of: Request) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    request = replace(request_of, settings=by_web(f"http://127.0.0.1:{port}/KEY"))
    result = notify_of_result(request, run_audit(request))
    assert result.run is not None
    assert (result.exit_code, result.notices) == (0, ("The webhook at 127.0.0.1 was not notified of this run: connection refused.",))


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert send(by_web(url), MESSAGE) == ["The webhook at 127.0.0.1 was not notified of this run: no answer within 0.2 seconds."]
        monkeypatch.setattr(notify, "PATIENCE_SECONDS", 1000.0)
        monkeypatch.setattr(notify, "DEADLINE_SECONDS", 0.2)
        assert send(by_web(url), MESSAGE) == ["The webhook at 127.0.0.1 was not notified of this run: no end within 0.2 seconds."]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"MAIL": ["550 no"]}, "it answered with code 550"),
        ({"RCPT": ["550 no", "550 no"]}, "it takes no e-mail for these addresses"),
        ({"RCPT": ["550 no"]}, "it takes no e-mail for 1 of the addresses"),
        ({"MAIL": ["451 later"] * 3}, "it answered with code 451"),
    ],
)
def test_a_mail_server_that_does_not_take_it_is_said(answers: dict[str, list[str]], why: str, mail: Mail) -> None:
    mail.answers = answers
    assert send(by_mail(mail), MESSAGE) == [f"localhost, for e-mail, was not notified of this run: {why}."]


# --- encryption


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate of its own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "localhost.pem"
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secured(mail: Mail, certificate: Path) -> Mail:
    mail.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mail.context.load_cert_chain(certificate)
    return mail


def test_a_password_is_given_only_once_the_line_is_encrypted(secured: Mail, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert send(by_mail(secured, smtp_security="starttls", smtp_user="u", smtp_password="KEY"), MESSAGE) == []
    assert secured.said[:5] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "\0u\0KEY"]
    assert len(secured.got) == 1


def test_a_server_that_nobody_vouches_for_gets_no_password(secured: Mail) -> None:
    [failure] = send(by_mail(secured, smtp_security="starttls", smtp_user="u", smtp_password="KEY"), MESSAGE)
    assert "its certificate does not hold" in failure
    assert "AUTH" not in secured.said


def test_a_server_without_encryption_gets_nothing_that_wants_it(mail: Mail) -> None:
    [failure] = send(by_mail(mail, smtp_security="starttls"), MESSAGE)
    assert failure == "localhost, for e-mail, was not notified of this run: it offers no STARTTLS, or no login that is known here."
    assert mail.got == []


# --- a whole night


def test_no_notification_holds_a_marker_of_a_member(tmp_path: Path) -> None:
    request = Request(out=tmp_path / "out", extracts=tuple(write_extracts(tmp_path / "in")), as_of=AS_OF)
    result = run_audit(request)
    message = describe_result(request, result)
    assert len(message.facts["refused"]) > 3
    assert [marker for marker in ALL_MARKERS if marker in json.dumps([message.title, message.lines, message.facts])] == []


@pytest.mark.xdist_group("nights")
def test_the_nightly_command_tells_how_it_ended_and_run_tells_nobody(tmp_path: Path, web: Web, house: House) -> None:
    extract = write_extract(tmp_path / "claims.parquet", lines_of(2))
    asked = (extract, "--out", tmp_path / "out", "--as-of", "2024-06-30")
    told: dict[str, Any] = {"SIJ_AUDIT_WEBHOOK_URL": web.url, "SIJ_AUDIT_NOTIFY_ON": json.dumps(ALL)}
    server: dict[str, Any] = {"PREFECT_API_URL": house.address, **told}
    assert command("nightly", *asked, **server).returncode == 0
    assert command("nightly", *asked, SIJ_AUDIT_WALL_CLOCK_MINUTES="0.00001", **server).returncode == 4
    assert command("nightly", tmp_path / "nowhere.csv", "--out", tmp_path / "out", **server).returncode == 2
    assert command("run", *asked, **told).returncode == 0
    assert [(body["kind"], body["exit_code"]) for _, _, body in web.got] == [("success", 0), ("failure", 4), ("failure", 2)]
    assert web.got[1][2]["message"].startswith("The run was ended after 1e-05 minutes (the setting wall_clock_minutes).")
    assert MARKER not in json.dumps(web.got)
