"""Tokens: renewed in time, once for everybody; a refusal in plain words; the secret nowhere.

The sign-in endpoints are small servers on this machine, reached by azure-identity itself: the managed identity
endpoint of App Service over HTTP, and Entra's token endpoint over HTTPS with a certificate made for the test.
"""

import asyncio
import datetime
import ipaddress
import json
import logging
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.adapters.identity import ClientSecret, ManagedIdentity, Token, TokenSource
from shared.errors import Garbled, ServiceTrouble, SignInRefused, SourceError, Throttled, Unreachable

pytestmark = pytest.mark.anyio

SCOPE = "https://contoso.crm4.dynamics.com/.default"
TENANT = "6f0b1c1e-7a63-4d6c-9c55-6f8f1f6b2a10"
CLIENT = "b7a0c9d2-1111-4f5a-8e2f-0c3d9a5e7f21"
SECRET = "canary-client-secret-value"
TOKEN = "canary-access-token"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Issuer:
    """Stands in for azure-identity where only our own caching is looked at."""

    def __init__(self, lifetime: float = 3_600) -> None:
        self.now, self.lifetime, self.asked = 0.0, lifetime, 0
        self.fails: Exception | None = None

    async def fetch(self) -> Token:
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0)
        if self.fails:
            raise self.fails
        return Token(f"token-{number}", self.now + self.lifetime)

    def source(self) -> TokenSource:
        return TokenSource(SCOPE, ManagedIdentity(), now=lambda: self.now, fetch=self.fetch)


async def test_a_token_is_kept_until_five_minutes_before_it_expires() -> None:
    issuer = Issuer()
    source = issuer.source()
    got = []
    for issuer.now in (0, 3_299, 3_300, 3_301, 6_599, 6_600):
        got.append(await source())
    assert got == ["token-1", "token-1", "token-2", "token-2", "token-2", "token-3"]


async def test_a_token_that_hardly_lives_is_used_all_the_same() -> None:
    source = Issuer(lifetime=60).source()
    assert [await source(), await source()] == ["token-1", "token-2"]


async def test_many_callers_cause_one_renewal_and_share_its_failure() -> None:
    issuer = Issuer()
    source = issuer.source()
    assert set(await asyncio.gather(*(source() for _ in range(50)))) == {"token-1"}
    assert issuer.asked == 1
    source.invalidate("token-1")
    issuer.fails = SignInRefused("sign_in", "No.")
    results = await asyncio.gather(*(source() for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {SignInRefused}
    assert issuer.asked == 2
    issuer.fails = None
    assert await source() == "token-3"


async def test_a_caller_that_leaves_does_not_take_the_token_along() -> None:
    issuer = Issuer()
    source = issuer.source()
    leaver, stayer = asyncio.create_task(source()), asyncio.create_task(source())
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer == "token-1"
    assert issuer.asked == 1


async def test_only_the_token_that_was_refused_is_thrown_away() -> None:
    issuer = Issuer()
    source = issuer.source()
    await source()
    source.invalidate("an older one")
    assert await source() == "token-1"
    source.invalidate("token-1")
    source.invalidate("token-1")
    assert await source() == "token-2"


class SignIn:
    """An HTTP server that answers every request alike and keeps what it was asked."""

    def __init__(self, status: int, body: object) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.asked: list[tuple[str, dict[str, str], str]] = []

    def respond(self, path: str) -> tuple[int, bytes]:
        return self.status, self.body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        sent = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        self.asked.append((head[0], headers, sent))
        status, body = self.respond(head[0].split()[1])
        lines = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(f"{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(sign_in: SignIn, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(sign_in.serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def app_service(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    async with listening(sign_in) as port:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{port}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "canary-identity-header")
        yield


def granted(token: str = TOKEN) -> dict[str, str]:
    expires = str(int(time.time()) + 86_400)
    return {"access_token": token, "expires_on": expires, "resource": SCOPE, "token_type": "Bearer"}


@pytest.mark.parametrize("client_id", [None, CLIENT])
async def test_a_managed_identity_is_asked_as_app_service_wants_it(
    client_id: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = SignIn(200, granted())
    async with app_service(sign_in, monkeypatch):
        source = TokenSource(SCOPE, ManagedIdentity(client_id))
        assert await source() == TOKEN
        assert await source() == TOKEN
        assert len(sign_in.asked) == 1
        source.invalidate(TOKEN)
        assert await source() == TOKEN
    line, headers, _ = sign_in.asked[1]  # no cache in between handed out the refused one
    asked = parse_qs(line.split()[1].partition("?")[2])
    assert asked["resource"] == ["https://contoso.crm4.dynamics.com"]
    assert asked.get("client_id") == (None if client_id is None else [client_id])
    assert headers["x-identity-header"] == "canary-identity-header"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"statusCode": 400, "message": "No such identity"}, SignInRefused),
        (500, {"message": "boom"}, ServiceTrouble),
        (429, {"message": "slow"}, Throttled),
        (200, b"<html>no</html>", SignInRefused),
        (200, {"access_token": TOKEN}, SignInRefused),
        (200, {"access_token": TOKEN, "expires_on": "soon", "resource": "x"}, Garbled),
        (200, {"access_token": TOKEN, "expires_on": "9999999999"}, Garbled),
        (200, [1], SourceError),
    ],
)
async def test_an_identity_that_gives_no_token_is_an_error_without_it(
    status: int,
    body: object,
    kind: type[SourceError],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with app_service(SignIn(status, body), monkeypatch):
        with pytest.raises(kind) as caught:
            await TokenSource(SCOPE, ManagedIdentity())()
    assert caught.value.source == "sign_in"
    assert caught.value.__suppress_context__
    for text in (str(caught.value), repr(caught.value), caplog.text):
        assert TOKEN not in text
        assert "canary-identity-header" not in text


async def test_nobody_there_is_not_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    async with app_service(SignIn(200, {}), monkeypatch):
        pass  # the port is free again
    with pytest.raises(Unreachable):
        await TokenSource(SCOPE, ManagedIdentity())()


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context for 127.0.0.1 and the path of the certificate that its clients must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    private = folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, str(pem)


# In a process of its own, because aiohttp reads once, when it is imported, which certificates to trust.
ASK = """
import asyncio, logging, sys
from shared.adapters.identity import ClientSecret, TokenSource
from shared.errors import SignInRefused

async def ask(tenant):
    credential = ClientSecret(tenant, sys.argv[2], sys.argv[3], sys.argv[1])
    try:
        print(await TokenSource(sys.argv[4], credential)())
    except SignInRefused as error:
        print(error.code, error)

async def main():
    for tenant in sys.argv[5:]:
        await ask(tenant)

logging.basicConfig(level=logging.DEBUG)
asyncio.run(main())
"""


class Entra(SignIn):
    """Refuses with the code that is named as the tenant, and gives a token to the tenant `good`."""

    def respond(self, path: str) -> tuple[int, bytes]:
        tenant = path.split("/")[1]
        if tenant == "good":
            return 200, json.dumps({"access_token": TOKEN, "expires_in": "3600", "token_type": "Bearer"}).encode()
        said = f"AADSTS{tenant}: Something. Trace ID: 1"
        return 401, json.dumps({"error": "invalid_client", "error_description": said}).encode()


MEANINGS = {
    "7000215": "secret is wrong",
    "7000222": "secret has expired",
    "700016": "does not know this client id",
    "90002": "no such tenant",
    "500011": "service's address",
    "53003": "Conditional Access",
    "70099": "Check the app registration",
}


async def test_a_client_secret_gets_a_token_or_a_refusal_in_plain_words(tmp_path: Path) -> None:
    assert SECRET not in repr(ClientSecret(TENANT, CLIENT, SECRET))
    tls, trusted = certificate(tmp_path)
    entra = Entra(200, {})
    async with listening(entra, tls) as port:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", ASK, f"https://127.0.0.1:{port}", CLIENT, SECRET, SCOPE, "good", *MEANINGS),
            env={**os.environ, "SSL_CERT_FILE": trusted},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, logged = await process.communicate()
    assert process.returncode == 0, logged.decode()
    token, *refusals = out.decode().splitlines()
    assert token == TOKEN
    for refusal, (code, meaning) in zip(refusals, MEANINGS.items(), strict=True):
        assert refusal.startswith(f"AADSTS{code} ")
        assert meaning in refusal
    assert SECRET.encode() not in out + logged
    assert TOKEN.encode() not in logged
    line, _, sent = entra.asked[0]
    assert line == "POST /good/oauth2/v2.0/token HTTP/1.1"
    assert (parse_qs(sent)["client_secret"], parse_qs(sent)["scope"]) == ([SECRET], [SCOPE])
