"""`make reference`: docs/reference/, as far as it is made of the contract and the package."""

from docs_site import command, http, python
from local.settings import PROJECT

REFERENCE = PROJECT / "docs" / "reference"
PAGES = {"http.md": http.page, "command.md": command.page, "python.md": python.page}


def main() -> None:
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page())


if __name__ == "__main__":
    main()
