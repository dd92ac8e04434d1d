"""Sign-in on this machine, asked over HTTP and by Microsoft's own client (azure-identity)."""

import asyncio
import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, CredentialUnavailableError, ManagedIdentityCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.sign_in import Application, SignIn, SignInRefusal, create_app
from tests.contract.local_live_server import live

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TENANT = "55555555-5555-4555-8555-555555555555"
IDENTITY = "66666666-6666-4666-8666-666666666666"
CLIENT = "77777777-7777-4777-8777-777777777777"
DATAVERSE = "https://contoso.example"


class Door:
    """One tenant with one managed identity and one application."""

    def __init__(self) -> None:
        self.now = NOW
        self.heard: list[tuple[str, str, str]] = []
        self.sign_in = SignIn(
            lambda: self.now,
            TENANT,
            IDENTITY,
            identity_header="header",
            applications={CLIENT: Application(CLIENT, "secret")},
            on_issue=lambda *issued: self.heard.append(issued),
        )

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(self.sign_in))
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
                return await client.request(method, path, **options)

        return asyncio.run(run())

    def msi(self, header: str | None = "header", **query: str | None) -> httpx.Response:
        asked = {"api-version": "2019-08-01", "resource": DATAVERSE} | query
        params = {key: value for key, value in asked.items() if value is not None}
        headers = {"X-IDENTITY-HEADER": header} if header else {}
        return self.ask("GET", "/msi/token", params=params, headers=headers)

    def token(self, tenant: str = TENANT, **form: str | None) -> httpx.Response:
        asked = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": "secret",
            "scope": f"{DATAVERSE}/.default",
        } | form
        data = {key: value for key, value in asked.items() if value is not None}
        return self.ask("POST", f"/{tenant}/oauth2/v2.0/token", data=data)


@pytest.fixture
def door() -> Door:
    return Door()


def test_a_managed_identitys_token(door: Door) -> None:
    body = door.msi().json()
    token = body.pop("access_token")
    expires_on = NOW + timedelta(hours=24)
    assert body == {
        "expires_on": str(int(expires_on.timestamp())),
        "resource": DATAVERSE,
        "token_type": "Bearer",
        "client_id": IDENTITY,
    }
    assert door.heard == [(token, DATAVERSE, IDENTITY)]
    assert door.sign_in.audience_of(token) == DATAVERSE
    door.now = expires_on
    assert door.sign_in.audience_of(token) is None


def test_no_two_tokens_are_the_same(door: Door) -> None:
    assert door.msi().json()["access_token"] != door.msi(client_id=IDENTITY).json()["access_token"]
    assert door.sign_in.audience_of("made up") is None


@pytest.mark.parametrize(
    ("header", "query", "status", "words"),
    [
        (None, {}, 401, "X-IDENTITY-HEADER"),
        ("wrong", {}, 401, "X-IDENTITY-HEADER"),
        ("header", {"api-version": "2017-09-01"}, 400, "api-version"),
        ("header", {"resource": None}, 400, "resource"),
        ("header", {"client_id": CLIENT}, 400, "No User Assigned or Delegated Managed Identity"),
        ("header", {"resource": "https://nowhere.example"}, 500, "unexpected error"),
    ],
)
def test_no_token_for_an_identity(
    door: Door, header: str | None, query: dict[str, str | None], status: int, words: str
) -> None:
    door.sign_in.resources = frozenset({DATAVERSE + "/"})
    response = door.msi(header, **query)
    assert (response.status_code, response.json()["statusCode"]) == (status, status)
    assert words in response.json()["message"]
    assert door.heard == []


def test_without_a_system_identity_the_client_id_is_needed(door: Door) -> None:
    door.sign_in.has_system_identity = False
    assert door.msi().json()["message"] == "Unable to load the proper Managed Identity."
    assert door.msi(client_id=IDENTITY.upper()).status_code == 200


def test_an_applications_token(door: Door) -> None:
    door.sign_in.application_lifetime = timedelta(minutes=5)
    body = door.token().json()
    token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 300, "ext_expires_in": 300}
    issued = door.sign_in.token(token)
    assert issued is not None
    assert (issued.audience, issued.client_id, issued.expires_on) == (DATAVERSE, CLIENT, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("form", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000215),
        ({"client_id": IDENTITY}, 400, "unauthorized_client", 700016),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": DATAVERSE}, 400, "invalid_scope", 70011),
        ({"scope": "https://nowhere.example/.default"}, 400, "invalid_resource", 500011),
        ({"tenant": CLIENT}, 400, "invalid_request", 90002),
    ],
)
def test_entras_own_errors(door: Door, form: dict[str, str | None], status: int, error: str, code: int) -> None:
    door.sign_in.resources = frozenset({DATAVERSE})
    tenant = form.pop("tenant", None) or TENANT
    response = door.token(tenant, **form)
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert "{0}" not in body["error_description"]
    assert (body["timestamp"], door.heard) == ("2026-11-20 12:00:00Z", [])


def test_a_secret_that_has_expired(door: Door) -> None:
    door.sign_in.applications[CLIENT].secret_expired = True
    assert door.token().json()["error_codes"] == [7000222]


def test_sign_in_fails_on_request(door: Door) -> None:
    door.sign_in.refusals = [
        SignInRefusal("AADSTS50057", client_id=CLIENT, times=1),
        SignInRefusal("AADSTS90033", until=NOW + timedelta(minutes=1)),
    ]
    assert [door.token().json()["error_codes"] for _ in range(2)] == [[50057], [90033]]
    assert door.msi().status_code == 500
    door.now += timedelta(minutes=1)
    assert (door.token().status_code, door.msi().status_code) == (200, 200)


def test_azure_identity_gets_a_managed_identitys_token(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    # azure-identity reads the machine's own clock, so the door has to as well.
    door.sign_in.clock = lambda: datetime.now(UTC)

    async def run() -> None:
        async with live(create_app(door.sign_in)) as url:
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
            for header in ("header", "wrong"):
                monkeypatch.setenv("IDENTITY_HEADER", header)
                with ManagedIdentityCredential(client_id=IDENTITY) as credential:
                    try:
                        given.append((await asyncio.to_thread(credential.get_token, f"{DATAVERSE}/.default")).token)
                    except CredentialUnavailableError as error:
                        refused.append(str(error))

    given: list[str] = []
    refused: list[str] = []
    asyncio.run(run())
    assert [door.sign_in.audience_of(token) for token in given] == [DATAVERSE]
    assert len(refused) == 1
    assert "401" in refused[0]


def test_azure_identity_signs_an_application_in(door: Door, tmp_path: Path) -> None:
    door.sign_in.clock = lambda: datetime.now(UTC)
    certificate, key = self_signed(tmp_path)

    async def run() -> str:
        async with live(create_app(door.sign_in), certificate=certificate, key=key) as url:

            def credential(secret: str) -> ClientSecretCredential:
                return ClientSecretCredential(
                    TENANT,
                    CLIENT,
                    secret,
                    authority=url,
                    disable_instance_discovery=True,
                    connection_verify=str(certificate),
                )

            with credential("secret") as good, credential("wrong") as bad:
                token = await asyncio.to_thread(good.get_token, f"{DATAVERSE}/.default")
                with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
                    await asyncio.to_thread(bad.get_token, f"{DATAVERSE}/.default")
            return token.token

    assert door.sign_in.audience_of(asyncio.run(run())) == DATAVERSE


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key: azure-identity signs in over TLS only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"
