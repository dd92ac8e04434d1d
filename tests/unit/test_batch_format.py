"""multipart/mixed both ways: byte for byte, and whatever is cut off is not taken for an answer."""

import email
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.adapters.dataverse.batch import HttpPart, decode, encode

BOUNDARY = "batch_b"
BODY = st.binary(max_size=200).filter(lambda body: BOUNDARY.encode() not in body)


def test_a_batch_request_to_the_byte() -> None:
    patch = HttpPart("PATCH", "/api/data/v9.2/t(1)", {"If-Match": 'W/"1"'}, '{"a": "é"}'.encode())
    get = HttpPart("GET", "/api/data/v9.2/t?$select=a", {"Accept": "application/json"})
    assert encode([patch, get], BOUNDARY) == (
        b"--batch_b\r\n"
        b"Content-Type: application/http\r\n"
        b"Content-Transfer-Encoding: binary\r\n"
        b"\r\n"
        b"PATCH /api/data/v9.2/t(1) HTTP/1.1\r\n"
        b'If-Match: W/"1"\r\n'
        b"\r\n"
        b'{"a": "\xc3\xa9"}\r\n'
        b"--batch_b\r\n"
        b"Content-Type: application/http\r\n"
        b"Content-Transfer-Encoding: binary\r\n"
        b"\r\n"
        b"GET /api/data/v9.2/t?$select=a HTTP/1.1\r\n"
        b"Accept: application/json\r\n"
        b"\r\n"
        b"\r\n"
        b"--batch_b--\r\n"
    )


@given(st.lists(BODY, min_size=1, max_size=5))
def test_bodies_go_untouched(bodies: list[bytes]) -> None:
    encoded = encode([HttpPart("POST", "/x", {"A": "b"}, body) for body in bodies], BOUNDARY)
    pieces = encoded.split(b"--batch_b")
    assert pieces[0] == b""
    assert pieces[-1] == b"--\r\n"
    assert [piece.partition(b"A: b\r\n\r\n")[2].removesuffix(b"\r\n") for piece in pieces[1:-1]] == bodies


@pytest.mark.parametrize(
    "part",
    [
        HttpPart("GET", "/x y", {}),
        HttpPart("GET", "/x\r\nX: 1", {}),
        HttpPart("GET", "/é", {}),
        HttpPart("GET", "/x", {"If-Match": "1\r\nX: 1"}),
        HttpPart("GET", "/x", {"A b": "1"}),
        HttpPart("GET", "/x", {"A": "é"}),
        HttpPart("POST", "/x", {}, b"...--batch_b--..."),
    ],
)
def test_no_part_breaks_out_of_its_place(part: HttpPart) -> None:
    with pytest.raises(ValueError, match=r"boundary|must not"):
        encode([part], BOUNDARY)


def whole(bodies: list[bytes]) -> bytes:
    head = b"--r\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    answers = (b'HTTP/1.1 200 OK\r\nETag: W/"%d"\r\n\r\n' % n + body for n, body in enumerate(bodies))
    return b"".join(head + answer + b"\r\n" for answer in answers) + b"--r--\r\n"


JSON_BODY = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3).map(
    lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
)


@given(st.lists(JSON_BODY, min_size=1, max_size=4))
@example([b'{"a": "\xc2\x85\xe2\x80\xa8\x0c\x1c --r-- --r"}'])
def test_answers_come_out_as_they_went_in(bodies: list[bytes]) -> None:
    decoded = decode("multipart/mixed; boundary=r", whole(bodies))
    assert [answer.body for answer in decoded.answers] == bodies
    assert [answer.headers["etag"] for answer in decoded.answers] == [f'W/"{n}"' for n in range(len(bodies))]
    assert decoded.complete


def test_an_answer_cut_off_anywhere_never_yields_one_that_was_not_sent() -> None:
    bodies = [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']
    sent = whole(bodies)
    for end in range(len(sent)):
        try:
            decoded = decode("multipart/mixed; boundary=r", sent[:end])
        except ValueError:
            continue
        assert [answer.body for answer in decoded.answers] == bodies[: len(decoded.answers)], sent[:end]
        if end < sent.rindex(b"--r--") + 5:
            assert not decoded.complete or decoded.answers == []


@pytest.mark.parametrize("body", [b'{"a": 1}', b""])
def test_status_without_reason_and_answers_without_body(body: bytes) -> None:
    raw = b"--r\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 204\r\n\r\n" + body + b"\r\n--r--"
    assert [(a.status, a.body) for a in decode('Multipart/Mixed; boundary="r"', raw).answers] == [(204, body)]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/mixed", b"--r--"),
        ("multipart/mixed; boundary=r", b"<html></html>"),
        ("multipart/mixed; boundary=r", b"--r\r\nContent-Type: text/html\r\n\r\nHTTP/1.1 200 OK\r\n\r\n\r\n--r--"),
        ("multipart/mixed; boundary=r", b"--r\r\nContent-Type: application/http\r\n\r\n200 OK\r\n\r\n\r\n--r--"),
        ("multipart/mixed; boundary=r", b"--r\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 OK\r\n\r\n\r\n--r--"),
        ("multipart/mixed; boundary=é", b"--r--"),
    ],
)
def test_what_is_no_batch_answer_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(content_type, body)


def test_it_reads_like_any_other_multipart() -> None:
    encoded = encode([HttpPart("GET", "/x", {}), HttpPart("POST", "/y", {}, b"{}")], BOUNDARY)
    parsed = email.message_from_bytes(b"Content-Type: multipart/mixed; boundary=batch_b\r\n\r\n" + encoded)
    assert [part.get_content_type() for part in parsed.walk()][1:] == ["application/http"] * 2
    assert parsed.defects == []
