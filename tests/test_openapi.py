"""What the service says of itself: the OpenAPI document and its pages, health and metrics."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from pytest_django import Settings

from loyalty import authentication
from loyalty.idempotency import Replays
from loyalty.operations import REGISTRY
from loyalty.scopes import Scope
from tests.conftest import Api, holding

HERE = Path(__file__).parent
ORIGINAL = HERE.parent.parent / "shared/spec/contract.yaml"
CONTRACT: list[dict[str, Any]] = yaml.safe_load((HERE / "contract.yaml").read_text())["operations"]
PAGES = ("/api/docs", "/api/redoc", "/api/schema")
OWN_OR_NAMESPACE = re.compile(r"https?://(testserver|127\.0\.0\.1|schema\.org|www\.w3\.org)\b")
FORM_TYPES = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, "drf-spectacular had to guess; run manage.py spectacular to see where."
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def published(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`METHOD /path` → what the document says of it."""
    return {
        f"{method.upper()} {path}": said
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }


def described(document: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each operation that exists, as the contract and as the document describe it."""
    there = published(document)
    pairs = [(entry, there.get(f"{entry['method']} {entry['path']}")) for entry in CONTRACT]
    return [(entry, said) for entry, said in pairs if said is not None]


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


@pytest.mark.skipif(not ORIGINAL.exists(), reason="a clone of its own")
def test_the_contract_is_a_faithful_copy() -> None:
    assert (HERE / "contract.yaml").read_bytes() == ORIGINAL.read_bytes()


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate_schema(document)  # type: ignore[no-untyped-call]


def test_it_publishes_the_contracts_operations_and_nothing_else(document: dict[str, Any]) -> None:
    listed = [line for line in (HERE / "openapi_pending.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    assert set(published(document)) == {f"{entry['method']} {entry['path']}" for entry in CONTRACT} - set(listed)


def test_it_says_nothing_of_http_ctx(document: dict[str, Any]) -> None:
    assert "httpctx" not in json.dumps(document).lower()


def test_every_code_of_the_contract_is_shown_by_an_example(document: dict[str, Any]) -> None:
    for entry, said in described(document):
        for status, codes in entry.get("errors", {}).items():
            examples = said["responses"][str(status)]["content"]["application/json"]["examples"].values()
            shown = {
                f"{error['code']} {error['reason']}" for error in (example["value"]["error"] for example in examples)
            }
            assert set(codes) <= shown, entry["path"]


def test_every_refusal_that_any_operation_may_meet_is_documented(document: dict[str, Any]) -> None:
    for entry, said in described(document):
        guarded = {"401", "403"} if entry["access"] != "public" else set()
        with_body = {"413", "415"} if entry["method"] == "POST" else set()
        assert {"200", "400", "405", "429", "500", "503", "504"} | guarded | with_body <= set(said["responses"])
        assert guarded or not {"401", "403"} & set(said["responses"])


def test_the_credentials_are_those_of_the_access_rule(document: dict[str, Any]) -> None:
    key: dict[str, list[str]] = {"apiKey": []}
    token: dict[str, list[str]] = {"customerToken": []}
    rules = {"public": [{}], "customer": [token, key], "client": [key], "owner-or-client": [token, key]}
    for entry, said in described(document):
        assert said["security"] == rules[entry["access"].partition(":")[0]], entry["path"]
        assert ("x-customer-id" in headers_of(said)) is (entry["access"] == "customer")
    assert set(document["components"]["securitySchemes"]) == {"customerToken", "apiKey"}


def headers_of(said: dict[str, Any]) -> set[str]:
    """The headers that an operation takes, none of them always needed."""
    headers = [param for param in said.get("parameters", []) if param["in"] == "header"]
    assert not any(header.get("required") for header in headers)
    return {header["name"] for header in headers}


def test_who_may_retry_with_a_key_is_told_so(document: dict[str, Any]) -> None:
    for entry, said in described(document):
        honoured = REGISTRY[entry["path"].removeprefix("/api/")].replays is not Replays.NEVER
        assert ("Idempotency-Key" in headers_of(said)) is ("409" in said["responses"]) is honoured
        assert headers_of(said) <= {"x-customer-id", "Idempotency-Key"}


def test_the_parameters_are_the_contracts(document: dict[str, Any]) -> None:
    for entry, said in described(document):
        params = entry.get("params", [])
        for place in ("query", "path"):
            there = {
                param["name"]: param.get("required", False)
                for param in said.get("parameters", [])
                if param["in"] == place
            }
            assert there == {param["name"]: param["required"] for param in params if param["in"] == place}
        sent = {param["name"]: param["required"] for param in params if "form" in param["in"]}
        if sent or "body" in entry:
            bodies = said["requestBody"]["content"]
            assert set(bodies) == FORM_TYPES
            for body in bodies.values():
                schema = resolved(document, body["schema"])
                fields = {name: name in schema.get("required", ()) for name in schema["properties"]}
                fields.pop("ticket", None)  # ours, see decisions on log-in's 3099
                assert "body" in entry or fields == sent, entry["path"]
        assert said.get("deprecated", False) is entry.get("deprecated", False)
        assert " ".join(said["tags"]) == entry["tag"]


# Its pages


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_nothing_from_elsewhere(api: Api, path: str) -> None:
    reply = api.client.get(path)
    assert reply.status_code == 200
    text = reply.content.decode()
    assert [url for url in re.findall(r"https?://[^\s\"'<>]*", text) if not OWN_OR_NAMESPACE.match(url)] == []
    assert not re.findall(r"(?:src|href)=[\"']//", text)


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_what_a_page_refers_to_is_there(api: Api, path: str) -> None:
    text = api.client.get(path).content.decode()
    referred = re.findall(r"(?:src|href)=[\"'](/[^\"']+)", text)
    assert referred
    for url in (*referred, "/api/schema"):
        assert api.client.get(url).status_code == 200, url


def test_the_schema_comes_as_json_too(api: Api, document: dict[str, Any]) -> None:
    reply = api.client.get("/api/schema", {"format": "json"})
    assert reply.json()["paths"] == document["paths"]


@pytest.mark.parametrize(("headers", "status"), [({"accept": "text/csv"}, 406), ({}, 405)])
def test_a_page_refuses_in_the_apis_shape(api: Api, headers: dict[str, str], status: int) -> None:
    for path in PAGES:
        reply = api.request("PUT" if status == 405 else "GET", path, headers=headers)
        assert reply.json()["error"]["statusCode"] == reply.status_code == status


@pytest.mark.parametrize("path", [*PAGES, "/metrics"])
def test_from_elsewhere_the_pages_want_a_key_of_operations(api: Api, settings: Settings, path: str) -> None:
    settings.OPEN_NETWORKS = ["10.0.0.0/8"]
    token, _ = authentication.issue_token("1-A")
    for caller in (
        api,
        api.with_headers(x_forwarded_for="10.1.2.3"),
        api.with_headers(x_api_key="nobody's"),
        holding(api, Scope.OPS, networks=["198.51.100.7"]),
    ):
        reply = caller.request("GET", path)
        assert reply.status_code == 401, caller.headers
        assert reply.json()["error"]["reason"] == "authorizationError"
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    for caller in (
        api.with_headers(authorization=f"Bearer {token}"),
        holding(api, *(scope for scope in Scope if scope is not Scope.OPS)),
    ):
        reply = caller.request("GET", path)
        assert reply.status_code == 403, caller.headers
        assert reply.json()["error"]["reason"] == "accessDenied"
    assert holding(api, Scope.OPS).request("GET", path).status_code == 200
    assert api.request("GET", path, REMOTE_ADDR="10.1.2.3").status_code == 200


# Health and metrics


def test_a_sound_service_is_ok(api: Api) -> None:
    reply = api.client.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok", "database": "ok", "redis": "ok", "siebel": "ok"})
    assert reply.headers["Cache-Control"] == "no-store"


def test_without_redis_it_is_degraded_and_serves_on(database: None, settings: Settings) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/valkey.sock"}
    settings.CACHES = {"default": away}
    client = Api().client
    reply = client.get("/health")
    assert (reply.status_code, reply.json()["status"], reply.json()["redis"]) == (200, "degraded", "down")
    body = {"user": "mei"}
    assert client.post("/api/Customers/userAvailable", body).json() == {"success": True}


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_without_its_database_it_is_down(database: None, error: type[Exception]) -> None:
    def fail(*_: Any) -> None:
        raise error("connection already closed")

    with connection.execute_wrapper(fail):
        reply = Api().client.get("/health")
    assert (reply.status_code, reply.json()) == (
        503,
        {"status": "down", "database": "down", "redis": "ok", "siebel": "ok"},
    )


def test_probes_ask_by_address_and_without_tls(api: Api, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["loyalty.example"]
    for path in ("/health", "/metrics"):
        assert Client().get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert Client().get("/admin/", headers={"host": "10.1.2.3:8000"}).status_code == 400


def test_metrics_are_there_and_tell_routes_not_paths(api: Api) -> None:
    api.post("Cards/validate", {"cardNumber": "6200999", "pin": "1"})
    api.get("6200999")
    page = api.client.get("/metrics").content.decode()
    for name in ("request_seconds_count", "siebel_seconds_count", "messages_total", "cards_drawn_total"):
        assert f"# HELP loyalty_{name.rpartition('_')[0]}" in page
    assert 'loyalty_request_seconds_count{method="POST",route="api/Cards/validate",status="2xx"}' in page
    assert 'loyalty_siebel_seconds_count{method="Validate",outcome="done",service="Loyalty Card"}' in page
    assert "6200999" not in page
