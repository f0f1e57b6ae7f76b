"""The name of an uploaded file, in each of the ways in which clients write one."""

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import quote, unquote_to_bytes

from kmeans_service.errors import MalformedRequest, quoted

# The multipart parser knows no names with an asterisk. A quoted value is passed over as a whole.
_OPTION = re.compile(r'; *([\w-]+(?:\*[0-9]+)?\*?) *= *("(?:[^"\\]|\\.)*"|[^;" ]*)')
# RFC 8187, section 3.2.1: charset'language'percent-encoded
_EXTENDED = re.compile(
    r"(?P<charset>[\w-]+)'[\w-]*'(?P<text>(?:[\w!#$&+.^`|~-]|%[0-9A-F]{2})*)", re.I | re.ASCII
)
_CHARSETS = ("utf-8", "iso-8859-1")
# RFC 2047, section 2; the spaces between two of them are not part of the text.
_ENCODED_WORD = re.compile(r"=\?[\w-]+(?:\*[\w-]+)?\?[BQ]\?[^? ]*\?=", re.I)
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t]+(?==\?)")


def file_name(disposition: str, plain: str | None) -> str | None:
    """The name in a part's Content-Disposition; None if it is no file.

    plain   its `filename`, None without one
    Raises MalformedRequest for a `filename*` that cannot be read, if there is no other name.

    `filename*` comes before `filename` (RFC 6266, section 4.3); an encoded word (RFC 2047) or a
    name in parts, `filename*0*` (RFC 2231, section 3), is what libraries made for mail write.
    """
    if "*" in disposition:
        options = {name.lower(): value for name, value in _OPTION.findall(disposition)}
        extended = options.get("filename*", _joined(options))
        if extended is not None:
            plain = _extended(extended.strip('"'), plain)
    return _decoded(plain) if plain and "=?" in plain else plain


def _joined(options: dict[str, str]) -> str | None:
    """A name in parts, as one `filename*`; None if there are none."""
    parts: list[str] = []
    while (name := f"filename*{len(parts)}") in options or f"{name}*" in options:
        encoded = options.get(f"{name}*")
        parts.append(quote(_unquoted(options[name])) if encoded is None else encoded.strip('"'))
    if not parts:
        return None
    return "".join(parts) if "filename*0*" in options else f"UTF-8''{''.join(parts)}"


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _extended(value: str, plain: str | None) -> str:
    found = _EXTENDED.fullmatch(value)
    if found and found["charset"].lower() in _CHARSETS:
        try:
            return unquote_to_bytes(found["text"]).decode(found["charset"])
        except UnicodeDecodeError:
            pass
    if plain is not None:
        return plain
    raise MalformedRequest(
        f"the file name filename*={quoted(value)} cannot be read; "
        "allowed is UTF-8''… with percent-encoded UTF-8 (RFC 8187)"
    )


def _decoded(name: str) -> str:
    return _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub("", name))


def _word(found: re.Match[str]) -> str:
    """The text of an encoded word; one that is none stays as it is."""
    try:
        return str(make_header(decode_header(found[0])))
    except (HeaderParseError, LookupError, UnicodeError):
        return found[0]
