"""Plans by rule of thumb: what is compared here does not depend on how tight an arena is."""

from collections.abc import Iterator

import pytest

from tinyml.plan import arena


@pytest.fixture(autouse=True, scope="module")
def _no_search() -> Iterator[None]:
    """Thousands of cases in one model meet no bound, and would be searched for to the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "SEARCH_BUDGET", 0)
        yield
