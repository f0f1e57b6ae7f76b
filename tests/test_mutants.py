"""The mistakes that `make mutants` makes in the template can still be made there."""

import pytest

from harness import PROJECT
from mutants.template import LISTED


@pytest.mark.parametrize(("name", "old", "new"), LISTED, ids=[name for name, _, _ in LISTED])
def test_a_listed_mistake_is_one_in_the_template_as_it_is(name: str, old: str, new: str) -> None:
    template = (PROJECT / "template.yaml").read_text()
    assert old in template, name
    assert template.replace(old, new, 1) != template
