"""Which addresses a token may be sent to: the configured service, and nothing else.

Every URL is built as this service's origin plus a target that was checked, also when the target comes out of
a link in an answer. So a link can choose the page, never the server.
"""

import ipaddress
import re
from urllib.parse import urlsplit

# Path: what OData and Partner Center resource paths are made of. Query: printable ASCII that needs no escaping.
_PATH = re.compile(r"[A-Za-z0-9_.\-()=',$/]+")
_QUERY = re.compile(r"[!$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]*")
_LINK = re.compile(r"[\x21-\x7e]+")


class Site:
    """One service: `base_url` is its origin, `root` the path that all its resources stand under."""

    def __init__(self, base_url: str, root: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("the address must be https://<host>")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("only https is used beyond this machine: a token would travel in clear")
        self.origin = f"{parts.scheme}://{parts.netloc.lower()}"
        self.root = root

    def url(self, path_and_query: str) -> str:
        """The URL of a resource named relative to the root. Raises ValueError for what is not a safe name."""
        return self.origin + self.target(path_and_query)

    def target(self, path_and_query: str) -> str:
        """Path and query of a resource named relative to the root, as a request line holds them."""
        path, _, query = path_and_query.partition("?")
        if not _PATH.fullmatch(path) or path.startswith("/") or "//" in path or ".." in path:
            raise ValueError(f"not a resource path: {path[:200]!r}")
        if not _QUERY.fullmatch(query):
            raise ValueError("the query holds characters that must be escaped; build it with odata.query")
        return self.root + path_and_query

    def target_of_link(self, link: str) -> str:
        """Path and query of an absolute link to this very service, untouched. Raises ValueError if it is not."""
        if not _LINK.fullmatch(link) or "\\" in link or "#" in link:
            raise ValueError("it is not a URL")
        origin, slash, rest = _split_origin(link)
        if _canonical(origin) != _canonical(self.origin):
            raise ValueError(f"it leads to {origin[:200]!r} and not to {self.origin!r}")
        target = slash + rest
        path = target.partition("?")[0]
        if not path.startswith(self.root) or "/../" in path or "/./" in path or "%" in path:
            raise ValueError(f"it leads out of {self.root!r}")
        return target


def _split_origin(link: str) -> tuple[str, str, str]:
    scheme, mark, rest = link.partition("://")
    host, slash, tail = rest.partition("/")
    return scheme + mark + host, slash, tail


def _canonical(origin: str) -> tuple[str, str, int | None]:
    parts = urlsplit(origin)
    if "@" in parts.netloc or not parts.hostname:
        return ("", origin, None)
    return (parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme))


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, where nobody is on the way."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
