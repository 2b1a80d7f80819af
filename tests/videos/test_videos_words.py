"""Captions, tags and what is folded for search: properties over any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.problems import Invalid
from jhalak.videos import words

ANY = st.text(max_size=80)


@given(ANY)
def test_a_tag_is_one_word_and_stays_as_it_is(text: str) -> None:
    try:
        kept = words.tag(text)
    except Invalid:
        return
    assert 1 <= len(kept) <= words.MOST_TAG
    assert not any(c.isspace() or c in "#<>&\"'/," for c in kept)
    assert words.tag(kept) == kept


@given(ANY)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert words.fold(words.fold(text)) == words.fold(text)


@given(ANY)
def test_what_was_typed_is_found_again(text: str) -> None:
    kept = words.caption(text)
    for term in words.fold(kept).split():
        assert term in words.searchable(kept, [])


@given(
    st.lists(st.sampled_from(["mela", "#Mela", "மழை", "दीपावली", "عید", "a_b", "7"]), max_size=6)
)
def test_tags_in_a_caption_are_the_tags_given_alone(given_: list[str]) -> None:
    named = [f"#{tag.lstrip('#')}" for tag in given_]
    assert words.tags_in(" and ".join(named)) == words.tags(named)


def test_tags_in_a_caption() -> None:
    caption = "बारिश #मानसून, #rain! #क्या# #! ## #" + "x" * 41
    assert words.tags_in(caption) == ["मानसून", "rain", "क्या"]


@pytest.mark.parametrize("code", ["", "hi", "ta", "sat-Olck", "en-IN", "zh-Hant-TW"])
def test_languages(code: str) -> None:
    assert words.language(code) == code


@pytest.mark.parametrize("code", ["HI", "h", "hindi", "hi_IN", "hi-", "hi\n", "हि", "x" * 99])
def test_no_languages(code: str) -> None:
    with pytest.raises(Invalid):
        words.language(code)
