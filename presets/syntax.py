"""Names of things that live elsewhere, by their syntax alone: images, objects, files, URLs."""

import re
import urllib.parse

_ALNUM = "[a-zA-Z0-9]"
_HOST_PART = f"{_ALNUM}(?:[a-zA-Z0-9-]*{_ALNUM})?"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_REPOSITORY_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_NAME = rf"(?:{_HOST}/)?{_REPOSITORY_PART}(?:/{_REPOSITORY_PART})*"
_PATH_PART = r"(?!\.{1,2}(?:/|$))[!-.0-~]+"
_PATH = rf"{_PATH_PART}(?:/{_PATH_PART})*"

_IMAGE = re.compile(rf"{_NAME}(?::{_TAG})?(?:@{_DIGEST})?", re.ASCII)
"""Source: github.com/distribution/reference, regexp.go."""
_IMAGE_AND_PATH = re.compile(
    rf"(?P<image>{_NAME}(?::{_TAG}(?:@{_DIGEST})?|@{_DIGEST}))/(?P<path>{_PATH})", re.ASCII
)
_FILE = re.compile(_PATH)
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(rf"{_DNS_LABEL.pattern}(\.{_DNS_LABEL.pattern})*")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_URL = re.compile(r"[!-~]+")

_LONGEST_IMAGE = 512
"""Characters: 255 of a name, 128 of a tag, a SHA-512 digest."""
_LONGEST_SUBDOMAIN = 253
"""Characters of an object's name; RFC 1123, as the API server checks it."""


def is_dns_label(text: str) -> bool:
    """Whether containers and adapters can have the name: at most 63 characters."""
    return _DNS_LABEL.fullmatch(text) is not None


def is_dns_subdomain(text: str) -> bool:
    """Whether objects of Kubernetes (claims, Secrets, ConfigMaps) can have the name."""
    return len(text) <= _LONGEST_SUBDOMAIN and _DNS_SUBDOMAIN.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """Whether a label of Kubernetes can hold the text; the empty one can be held."""
    return _LABEL_VALUE.fullmatch(text) is not None


def is_hub_id(text: str) -> bool:
    """Whether the text is `org/name`."""
    return _HUB_ID.fullmatch(text) is not None


def is_image(text: str) -> bool:
    """Whether the text is an image reference: `[host[:port]/]name[:tag][@digest]`."""
    return len(text) <= _LONGEST_IMAGE and _IMAGE.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether the text is a path inside an image or volume: relative, without `.` and `..`."""
    return _FILE.fullmatch(text) is not None


def image_and_path(text: str) -> tuple[str, str] | None:
    """Image and path of `REF[/path]`, the path empty where there is none; None: neither.

    A path follows a tag or a digest: without one nothing tells where the image's name ends.
    `model:1/a` is the image `a` of the host `model`, port 1, as everywhere.
    """
    if is_image(text):
        return text, ""
    found = _IMAGE_AND_PATH.fullmatch(text)
    if found is None or not is_image(found["image"]):
        return None
    return found["image"], found["path"]


def has_password(url: str) -> bool:
    """Whether the URL carries a user or a password."""
    return "@" in url.partition("//")[2].partition("/")[0]


def is_web_url(text: str) -> bool:
    """Whether the text is an `http` or `https` URL with a host."""
    if not _URL.fullmatch(text):
        return False
    try:
        parts = urllib.parse.urlsplit(text)
        _ = parts.port  # raises where it is no port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
